"""Compares a gradebook with another one, or each student's latest attempt with the one before."""

from __future__ import annotations

from pathlib import Path

from grader.gradebook.changes import changes
from grader.gradebook.store import open_book


def changed_grades(folder: Path, against: Path | None = None) -> list[str]:
    """Return a line for each student's week whose grade changed, and an indented one for each reason."""
    with open_book(folder) as book:
        after = book.current()
        # Both get the current overrides and lateness, so that they differ by their checks alone.
        histories = [] if against else [book.history(report.student, report.week) for report in after]
        before = [book.adjusted(old) for history in histories for old in history[-2:-1]]
    if against:
        with open_book(against) as book:
            before = book.current()
    return list(changes(before, after, both=against is not None))
