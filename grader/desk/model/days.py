"""Works out how a class does day by day: all works, and each check, by when they were handed in or graded."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass

from grader.desk.model.groups import checks_of
from grader.desk.model.snapshot import Snapshot
from grader.results import CheckResult, Outcome, Report

MOST_DAYS = 10  # the last of them, as columns of a table
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_UNREACHED = (Outcome.SKIPPED, Outcome.TODO, Outcome.BROKEN)


@dataclass(frozen=True)
class Day:
    """A day: how many works, and the mean share of points that checks gave, from 0 to 1."""

    date: str
    works: int
    share: float


@dataclass(frozen=True)
class Days:
    """The days of a week's works, the first one first; for each check the share that passed on each of them.

    A share is None where nobody got to the check that day. `handed_in` says that works are counted by when they were
    handed in, as far as that is known, and not by when they were graded.
    """

    days: tuple[Day, ...]
    checks: tuple[tuple[CheckResult, tuple[float | None, ...]], ...]
    handed_in: bool


def days_of(snapshot: Snapshot, week: str) -> Days:
    """Return how a week's works do by day; it is worked out once for each state of the class."""
    kept = snapshot.days.get(week)
    if kept is None or kept[0] != snapshot.attempted:
        kept = snapshot.days[week] = (snapshot.attempted, _days_of(snapshot, week))
    found: Days = kept[1]
    return found


def _days_of(snapshot: Snapshot, week: str) -> Days:
    graded = {
        (person, week): at for person, at in snapshot.book.rows("SELECT person, at FROM current WHERE week = ?", week)
    }
    works: Counter[str] = Counter()
    shares: defaultdict[str, float] = defaultdict(float)
    passed: defaultdict[str, Counter[str]] = defaultdict(Counter)
    reached: defaultdict[str, Counter[str]] = defaultdict(Counter)
    handed_in = False
    for key, at in graded.items():
        report = snapshot.reports.get(key)
        if report is None or not report.checks:
            continue
        day, is_known = _day(report, at)
        handed_in |= is_known
        works[day] += 1
        shares[day] += sum(check.points for check in report.checks) / (
            sum(one.max_points for one in report.checks) or 1
        )
        for check in report.checks:
            if check.outcome not in _UNREACHED:
                reached[check.id][day] += 1
                passed[check.id][day] += check.outcome is Outcome.PASSED
    dates = sorted(day for day in works if day)[-MOST_DAYS:]
    return Days(
        tuple(Day(day, works[day], float(shares[day]) / works[day]) for day in dates),
        tuple(
            (check, tuple(passed[check.id][day] / of if (of := reached[check.id][day]) else None for day in dates))
            for check in checks_of(snapshot, week)
        ),
        handed_in,
    )


def _day(report: Report, graded: str) -> tuple[str, bool]:
    """Return the day on which a work was handed in, or was graded where nobody knows that; tell which of both it is."""
    handed_in = _DATE.match(report.delivery.at) if report.delivery else None
    return (handed_in[0], True) if handed_in else (graded[:10], False)
