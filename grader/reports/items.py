"""Computes figures check by check: who passed, who failed, who did not get there, and how well a check discriminates.

How well it does is the corrected item-total correlation: over students, the correlation between passing the check and
the share of points in all other checks of the week. Leaving the check itself out is what corrects it: S. Henrysson,
"Correction of item-total correlations in item analysis", Psychometrika 28 (1963), 211-218. The words for it are those
of R. L. Ebel and D. A. Frisbie, Essentials of Educational Measurement (5th ed., 1991): from 0.40 on an item is very
good, from 0.30 reasonably good, from 0.20 marginal, and below that poor. Below 0, those who do well elsewhere fail the
check: look at it first.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.results import CheckResult, Outcome, Report, task_order

FEWEST = 20  # works that reached a check, below which a correlation says next to nothing
FEWEST_EACH = 5  # of those, how many at least have to pass, and how many to fail
TOO_FEW, ALIKE = "too few", "all alike"
_WORDS = ((0.40, "very good"), (0.30, "good"), (0.20, "marginal"), (0.0, "poor"))
_UNREACHED = (Outcome.TODO, Outcome.SKIPPED)


@dataclass(frozen=True)
class Discrimination:
    """The correlation, from -1 to 1, with a word for it; without a value, the word says why there is none."""

    word: str
    value: float | None = None

    @property
    def is_reversed(self) -> bool:
        """Tell whether those who do well elsewhere rather fail the check."""
        return self.value is not None and round(self.value, 2) < 0


@dataclass(frozen=True)
class Item:
    """One check in a class. A student who waits for another task, or has not started, did not reach it.

    `broken` counts those on whose work the check itself crashed, which is nobody's failure.
    """

    task: str
    title: str
    hidden: bool
    passed: int
    failed: int
    unreached: int
    broken: int
    discrimination: Discrimination

    @property
    def students(self) -> int:
        """How many students there is a result of."""
        return self.passed + self.failed + self.unreached + self.broken


@dataclass(frozen=True)
class _Work:
    """One graded work. What a group hands in together is one, since the same verdict twice tells nothing more."""

    points: int
    max_points: int
    checks: dict[str, CheckResult]

    def rest(self, check: CheckResult) -> float | None:
        """Return the share of points in all other checks; None where there are no others."""
        others = self.max_points - check.max_points
        return (self.points - check.points) / others if others > 0 else None


def item_figures(reports: Iterable[Report]) -> list[Item]:
    """Return the figures of each check of one week's reports, by task, and within a task as they are run."""
    judged = [report for report in reports if report.counts]
    works = _works(judged)
    checks: dict[str, CheckResult] = {}
    counts: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    for report in judged:
        for check in report.checks:
            checks.setdefault(check.id, check)
            counts[check.id][check.outcome] += 1
    ordered = sorted(checks.values(), key=lambda check: task_order(check.task))  # it is stable
    return [_item(check, counts[check.id], works) for check in ordered]


def _works(reports: Iterable[Report]) -> list[_Work]:
    found: dict[tuple[str, ...], _Work] = {}
    for report in reports:
        members = report.delivery.members if report.delivery else ()
        shared = (report.submission, *members) if len(members) > 1 else (report.student,)
        counted = [check for check in report.checks if not check.is_broken]
        work = _Work(
            sum(check.points for check in counted),
            sum(check.max_points for check in counted),
            {check.id: check for check in counted},
        )
        found.setdefault(shared, work)
    return list(found.values())


def _item(check: CheckResult, counts: Counter[Outcome], works: Sequence[_Work]) -> Item:
    unreached = sum(counts[outcome] for outcome in _UNREACHED)
    passed, broken = counts[Outcome.PASSED], counts[Outcome.BROKEN]
    failed = counts.total() - unreached - passed - broken
    measured = discrimination(_pairs(check.id, works))
    return Item(check.task, check.title, check.hidden, passed, failed, unreached, broken, measured)


def _pairs(name: str, works: Sequence[_Work]) -> list[tuple[bool, float]]:
    reached = [(work, work.checks[name]) for work in works if name in work.checks]
    pairs = [
        (check.outcome is Outcome.PASSED, work.rest(check))
        for work, check in reached
        if check.outcome not in _UNREACHED
    ]
    return [(passed, rest) for passed, rest in pairs if rest is not None]


def discrimination(pairs: Sequence[tuple[bool, float]]) -> Discrimination:
    """Return the correlation between passing a check and the share of points in the others.

    `pairs` has both for each work that reached the check. It is point-biserial, as passing is yes or no.
    """
    passed = sum(one for one, _ in pairs)
    if len(pairs) < FEWEST:
        return Discrimination(TOO_FEW)
    if passed in (0, len(pairs)) or len({rest for _, rest in pairs}) == 1:
        return Discrimination(ALIKE)
    if min(passed, len(pairs) - passed) < FEWEST_EACH:
        return Discrimination(TOO_FEW)
    value = statistics.correlation([float(one) for one, _ in pairs], [rest for _, rest in pairs])
    word = next((word for least, word in _WORDS if round(value, 2) >= least), "reversed")
    return Discrimination(word, value)
