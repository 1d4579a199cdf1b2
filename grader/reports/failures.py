"""What goes wrong in a class most often, and which checks take longest."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from grader.results import CheckResult, Outcome, Report, task_order

MOST = 8
_BECAUSE = "  because "


@dataclass(frozen=True)
class Failure:
    """One reason that checks of a task failed for: how many points it has cost, and whom, by name."""

    task: str
    reason: str
    points: int
    students: tuple[str, ...]


@dataclass(frozen=True)
class Slow:
    """A check and its mean time, in seconds."""

    task: str
    title: str
    seconds: float


def commonest_failures(reports: Iterable[Report], most: int = MOST) -> list[Failure]:
    """The commonest reasons why checks do not pass, of equal ones the dearest first; what waits or is to do is none."""
    students: dict[tuple[str, str], set[str]] = {}
    points: Counter[tuple[str, str]] = Counter()
    for report in reports:
        for check in report.checks:
            if check.outcome not in (Outcome.PASSED, Outcome.TODO, Outcome.SKIPPED, Outcome.BROKEN):
                key = check.task, reason(check)
                students.setdefault(key, set()).add(report.student)
                points[key] += check.max_points
    failures = [Failure(*key, points[key], tuple(sorted(names))) for key, names in students.items()]
    failures.sort(key=lambda f: (-len(f.students), -f.points, task_order(f.task), f.reason))
    return failures[:most]


def reason(check: CheckResult) -> str:
    """The first line of a check's message, and what explains it; neither holds a student's own values."""
    lines = check.message.splitlines()
    because = [line.removeprefix(_BECAUSE).strip() for line in lines if line.startswith(_BECAUSE)]
    return "; ".join([*lines[:1], *because[:1]]) or str(check.outcome)


def slowest_checks(reports: Iterable[Report], most: int = 5) -> list[Slow]:
    """The checks with the longest mean time."""
    times: dict[tuple[str, str], list[float]] = {}
    for report in reports:
        for check in report.checks:
            times.setdefault((check.task, check.title), []).append(check.seconds)
    slow = [Slow(*key, round(statistics.fmean(seconds), 1)) for key, seconds in times.items()]
    return sorted(slow, key=lambda check: (-check.seconds, task_order(check.task), check.title))[:most]
