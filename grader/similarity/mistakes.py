"""Finds rare mistakes that two students have both made: who copies, copies what is wrong as well.

The gradebook knows what each lost check said. The same words to a few of a class alone are evidence beside alike code;
what much of the class gets wrong says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from grader.results import Outcome, Report
from grader.similarity.compare import Pair

FEW = 3  # who make a mistake that still counts as rare, in a small class
RARE = 0.1  # the part of a class that does, in a large one
_MISTAKES = {Outcome.FAILED, Outcome.ERROR, Outcome.INVALID, Outcome.TIMEOUT, Outcome.MEMORY, Outcome.KILLED}
Mistake = tuple[str, str]  # a task, and what a check of it said


class Mistakes:
    """The mistakes of a class, from the current reports of all students."""

    def __init__(self, reports: Iterable[Report] = ()) -> None:
        self._made: dict[tuple[str, str], dict[str, Mistake]] = {}
        self._makers: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._sizes: dict[str, int] = defaultdict(int)
        for report in reports:
            self._sizes[report.week] += 1
            made = self._made[report.student, report.week] = _mistakes_of(report)
            for key in made:
                self._makers[report.week, key].add(report.student)

    def __bool__(self) -> bool:
        return bool(self._made)

    def shared(self, pair: Pair) -> tuple[str, ...]:
        """Say which rare mistakes both sides of a pair have made, and how many of the class have."""
        week = pair.left.week
        most = max(FEW, int(RARE * self._sizes[week]))
        left, right = self._of(pair.left.who, week), self._of(pair.right.who, week)
        rare = [key for key in left if key in right and len(self._makers[week, key]) <= most]
        return tuple(self._says(week, key, *left[key]) for key in rare)

    def _of(self, names: Iterable[str], week: str) -> dict[str, Mistake]:
        return {key: one for name in names for key, one in self._made.get((name, week), {}).items()}

    def _says(self, week: str, key: str, task: str, message: str) -> str:
        return f"{task}: {message} ({len(self._makers[week, key])} of {self._sizes[week]} students)"


def _mistakes_of(report: Report) -> dict[str, Mistake]:
    """Return the mistakes of a report by what tells them apart; what one cause has ended is one."""
    found: dict[str, Mistake] = {}
    for check in report.checks:
        if check.outcome in _MISTAKES and check.message:
            first = check.message.splitlines()[0]
            found.setdefault(check.cause or f"{check.id}\0{check.message}", (check.task, first))
    return found
