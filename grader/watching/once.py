"""Runs a week's public checks once, where there is no way to confine code: on Windows and macOS."""

from __future__ import annotations

import queue
import tempfile
from collections.abc import Mapping
from pathlib import Path

from grader.course import Assignment
from grader.files import lay_out
from grader.results import CheckResult
from grader.watching.runs import Run
from grader.watching.spares import Spares
from grader.watching.state import State


def check_once(assignment: Assignment, files: Mapping[str, bytes]) -> list[CheckResult]:
    """Return the results of a submission's files; what hangs or crashes costs its checks."""
    with tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True) as name:
        folder = Path(name, assignment.week)
        lay_out(files, folder)
        return _checked(assignment, folder)


def _checked(assignment: Assignment, submission: Path) -> list[CheckResult]:
    ended: queue.Queue[CheckResult | None] = queue.Queue()
    spares = Spares(assignment, forks=False, lanes=1, submission=submission, ahead=False)
    try:
        warm = spares.take()
        spares.put_back(warm)
        state = State(warm.checks)
        Run(spares, assignment.modules, warm.checks, ended.put)
        while (result := ended.get()) is not None:
            state.note(result)
        return state.results()
    finally:
        spares.close()
