"""Holds which checks a run of pytest takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.results import CheckResult


@dataclass
class Chosen:
    """Says of a run whether it takes all checks of a week, or all of some tasks, or only some of a task.

    `left_out` are checks that options of pytest's own leave out, `tasks` those that `--task` does. `count` checks of
    `folders` are left to run, so many `of` each task.
    """

    left_out: bool = False
    tasks: bool = False
    count: int = 0
    of: Counter[str] = field(default_factory=Counter)
    folders: frozenset[Path] = frozenset()

    def whole_tasks(self, results: Sequence[CheckResult]) -> list[CheckResult]:
        """Return the results of tasks whose checks all ran: `-x` may have ended the run before the others."""
        ran = Counter(result.task for result in results)
        return [result for result in results if not self.left_out and ran[result.task] == self.of[result.task]]

    def course(self) -> Path | None:
        """Return the folder of the course whose `course.toml` marks it, if all checks are of one of its weeks."""
        for folder in self.folders if len(self.folders) == 1 else ():
            root = folder.parent.parent
            if folder.parent.name == "assignments" and (root / "course.toml").is_file():
                return root
        return None
