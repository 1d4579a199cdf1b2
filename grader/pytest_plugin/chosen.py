"""Holds which checks a run of pytest takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass
class Chosen:
    """Says of a run whether it takes all checks of a week, or all of some tasks, or only some of a task.

    `left_out` are checks that options of pytest's own leave out, `tasks` those that `--task` does. `count` checks of
    `folders` are left to run.
    """

    left_out: bool = False
    tasks: bool = False
    count: int = 0
    folders: frozenset[Path] = frozenset()

    def course(self) -> Path | None:
        """Return the folder of the course whose `course.toml` marks it, if all checks are of one of its weeks."""
        for folder in self.folders if len(self.folders) == 1 else ():
            root = folder.parent.parent
            if folder.parent.name == "assignments" and (root / "course.toml").is_file():
                return root
        return None
