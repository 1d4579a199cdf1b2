"""Works out figures of the class: what goes wrong, how checks do; kept until there are new attempts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from grader.desk.model.groups import checks_of
from grader.desk.model.snapshot import Snapshot
from grader.reports.failures import reason
from grader.reports.figures import State
from grader.reports.items import Item, item_figures
from grader.results import CheckResult, Outcome

MOST = 8
LASTS = 20.0  # seconds for which figures are shown while attempts come in: they take a while in a large class


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with a check, and for how many."""

    check: CheckResult
    reason: str
    count: int


@dataclass(frozen=True)
class Part:
    """A part that people grade: how many works wait for it, and how many are graded."""

    name: str
    title: str
    open: int
    graded: int


@dataclass(frozen=True)
class Week:
    """Figures of a week."""

    week: str
    handed_in: int
    final: int
    mean: float | None
    most: float
    looks: int
    done: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Figures:
    """Figures of the class, and how the checks of each week do."""

    weeks: tuple[Week, ...]
    troubles: tuple[tuple[str, tuple[Trouble, ...]], ...]
    items: dict[str, list[tuple[CheckResult, Item]]]


def figures_of(snapshot: Snapshot) -> Figures:
    """Return the figures of a class, which are worked out at most every few seconds."""
    known = snapshot.figures
    attempted, revision, at, checked, weeks = known if known else (-1, -1, 0.0, ((), {}), ())
    if attempted != snapshot.attempted and time.monotonic() - at > (LASTS if known else 0.0):
        checked = _troubles(snapshot), _items(snapshot)
        attempted, at = snapshot.attempted, time.monotonic()
    if revision != snapshot.revision:
        weeks = tuple(_week(snapshot, week) for week in snapshot.weeks)
        revision = snapshot.revision
    snapshot.figures = attempted, revision, at, checked, weeks
    return Figures(weeks, *checked)


def _week(snapshot: Snapshot, week: str) -> Week:
    reports = [(key, report) for key, report in snapshot.reports.items() if key[1] == week]
    finals = [report.score for _, report in reports if not report.provisional and not report.excused]
    states = Counter(row.state(week) for row in snapshot.rows)
    parts: dict[str, list[int]] = {}
    titles = {}
    for _, report in reports:
        for part in report.manual:
            titles[part.name] = part.title
            waits = part.points is None and part.title in report.waiting and not report.excused
            counts = parts.setdefault(part.name, [0, 0])
            counts[0] += waits
            counts[1] += part.points is not None
    return Week(
        week,
        handed_in=len(reports) + states[State.NOT_GRADABLE],
        final=len(finals),
        mean=sum(finals) / len(finals) if finals else None,
        most=max((report.max_score for _, report in reports), default=0),
        looks=states[State.PROVISIONAL] + states[State.NOT_GRADABLE],
        done=sum(1 for (_, own), duty in snapshot.duties.items() if own == week and duty.done_by),
        parts=tuple(Part(name, titles[name], *counts) for name, counts in parts.items()),
    )


def _troubles(snapshot: Snapshot) -> tuple[tuple[str, tuple[Trouble, ...]], ...]:
    found: dict[str, Counter[tuple[str, str]]] = {}
    checks: dict[tuple[str, str], CheckResult] = {}
    for (_, week), report in snapshot.reports.items():
        for check in () if report.by_hand else report.checks:
            if check.outcome not in (Outcome.PASSED, Outcome.SKIPPED, Outcome.TODO):
                checks.setdefault((week, check.id), check)
                found.setdefault(week, Counter())[check.id, reason(check)] += 1
    return tuple(
        (week, tuple(Trouble(checks[week, name], why, count) for (name, why), count in found[week].most_common(MOST)))
        for week in snapshot.weeks
        if week in found
    )


def _items(snapshot: Snapshot) -> dict[str, list[tuple[CheckResult, Item]]]:
    found = {}
    for week in snapshot.weeks:
        reports = [report for (_, own), report in snapshot.reports.items() if own == week]
        found[week] = _paired(checks_of(snapshot, week), item_figures(reports))
    return found


def _paired(checks: Sequence[CheckResult], items: Sequence[Item]) -> list[tuple[CheckResult, Item]]:
    by_name = {(check.task, check.title): check for check in checks}
    return [(by_name[item.task, item.title], item) for item in items if (item.task, item.title) in by_name]
