"""Keeps when which task passed on a student's own computer, in `.grader/` of the course: `grader progress`.

Nothing of it leaves that folder, and no grade depends on it. `GRADER_HISTORY=0`, or `progress --off`, keeps nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import GraderError
from grader.files import write_atomically
from grader.results import CheckResult, tasks_of

VARIABLE = "GRADER_HISTORY"
MOST = 2000  # lines that are kept
_FOLDER, _FILE, _OFF = ".grader", "history.jsonl", "off"


@dataclass(frozen=True)
class Step:
    """A task whose points have changed."""

    at: datetime
    week: str
    task: str
    points: int
    max_points: int


def is_on(root: Path) -> bool:
    """Tell whether this course keeps a history."""
    return os.environ.get(VARIABLE, "1") != "0" and not (root / _FOLDER / _OFF).exists()


def switch(root: Path, on: bool) -> None:
    """Keep a history from now on, or keep none, and remove what was kept."""
    if on:
        (root / _FOLDER / _OFF).unlink(missing_ok=True)
        return
    shutil.rmtree(root / _FOLDER, ignore_errors=True)
    _folder(root)
    (root / _FOLDER / _OFF).touch()


def note(root: Path, week: str, checks: Iterable[CheckResult]) -> None:
    """Add what has changed since the last run; all checks of their tasks have to be there."""
    if not is_on(root):
        return
    with contextlib.suppress(OSError, GraderError):  # a folder that cannot be written has no history
        steps = list(read(root))
        known = latest(step for step in steps if step.week == week)
        now = datetime.now(UTC).replace(microsecond=0)
        new = [Step(now, week, score.task, score.points, score.max_points) for score in tasks_of(list(checks))]
        new = [step for step in new if step.task not in known or known[step.task].points != step.points]
        if new:
            _write(root, [*steps, *new][-MOST:], rewrite=len(steps) + len(new) > MOST, new=new)


def read(root: Path) -> Iterator[Step]:
    """Yield what was kept, in its order; a line that cannot be read is passed over."""
    try:
        lines = (root / _FOLDER / _FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, KeyError):
            kept = json.loads(line)
            at = datetime.fromisoformat(kept["at"])
            if at.tzinfo is not None:
                yield Step(at, str(kept["week"]), str(kept["task"]), int(kept["points"]), int(kept["of"]))


def latest(steps: Iterable[Step]) -> dict[str, Step]:
    """Return the last step of each task."""
    return {step.task: step for step in steps}


def _write(root: Path, steps: list[Step], rewrite: bool, new: list[Step]) -> None:
    file = _folder(root) / _FILE
    with file.open("w" if rewrite else "a", encoding="utf-8") as out:
        for step in steps if rewrite else new:
            kept = {"at": step.at.isoformat(), "week": step.week, "task": step.task}
            out.write(json.dumps({**kept, "points": step.points, "of": step.max_points}) + "\n")


def _folder(root: Path) -> Path:
    folder = root / _FOLDER
    write_atomically(folder / ".gitignore", "*\n")  # it is nobody else's, and no part of the work
    return folder
