"""Chooses the seed that each submission is graded with.

Checks draw their inputs from it. A class run draws one, so that all who are graded in it are asked alike, and a later
run draws another: what a submission has learnt about hidden inputs helps no later one. Work that was graded before
keeps its seed, so that the same work gets the same grade. An interrupted run goes on with the seed that it had.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from grader.gradebook import Gradebook

BELOW = 2**31


def drawn_seed() -> int:
    """Draw a seed that nobody can know before."""
    return secrets.randbelow(BELOW)


class Seeds:
    """The seeds of one run over a class; with `wanted`, which a person has given, that one for everybody."""

    def __init__(self, book: Gradebook, wanted: int | None = None) -> None:
        self._book = book
        self._wanted = wanted
        self._drawn = drawn_seed()
        self._of_weeks: dict[str, int] = {}

    def of(self, student: str, week: str, submission: str) -> int:
        """Return the seed for a student's work; a seed that is new is noted before anything is graded with it."""
        if self._wanted is not None:
            return self._wanted
        graded = self._book.seed_of(student, week, submission)
        return self._of_run(week) if graded is None else graded

    def _of_run(self, week: str) -> int:
        if week not in self._of_weeks:
            self._of_weeks[week] = self._book.begin_run(week, self._drawn)
        return self._of_weeks[week]

    def end(self, weeks: Iterable[str]) -> None:
        """Note that the run over these weeks has come to its end: the next one draws anew."""
        if self._wanted is None:
            self._book.end_runs(weeks)
