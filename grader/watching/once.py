"""Runs a week's public checks once, where there is no way to confine code: on Windows."""

from __future__ import annotations

import queue
from pathlib import Path

from grader.course import Assignment
from grader.results import CheckResult
from grader.watching.runs import Run
from grader.watching.spares import Spares
from grader.watching.state import State


def check_once(assignment: Assignment, submission: Path | None) -> list[CheckResult]:
    """Return the results of the work in a folder, or of the student's own; what hangs or crashes costs its checks."""
    ended: queue.Queue[CheckResult | None] = queue.Queue()
    spares = Spares(assignment, forks=False, lanes=1, submission=submission)
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
