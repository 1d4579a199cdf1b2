"""Works out figures of the class: what goes wrong, how checks do; kept until there are new attempts."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.desk.model.filters import needs_look
from grader.desk.model.groups import checks_of
from grader.desk.model.snapshot import Snapshot
from grader.reports.failures import reason
from grader.reports.figures import Row, State
from grader.reports.items import Item, item_figures
from grader.reports.words import counted
from grader.results import CheckResult, Outcome, Report, task_order

MOST = 8
HARD = 0.3  # of those who got to a check; where fewer pass it, it is too hard, or wrong
FEWEST_REACHED = 5
LASTS = 20.0  # seconds for which figures are shown while attempts come in: they take a while in a large class


@dataclass(frozen=True)
class Trouble:
    """What goes wrong, with which checks, and for how many students."""

    checks: tuple[CheckResult, ...]
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


@dataclass(frozen=True)
class _Share:
    """What one student's week adds to the figures of a week."""

    score: float | None
    most: float
    parts: tuple[tuple[str, str, bool, bool], ...]  # of each: its name, its title, and whether it waits or is graded
    needs_look: bool


def _week(snapshot: Snapshot, week: str) -> Week:
    shares = [share for row in snapshot.rows if (share := snapshot.kept(row, _shares).get(week)) is not None]
    unread = sum(week not in row.reports and snapshot.state(row, week) is State.NOT_GRADABLE for row in snapshot.rows)
    finals = [share.score for share in shares if share.score is not None]
    parts: dict[str, list[int]] = {}
    titles = {}
    for share in shares:
        for name, title, waits, graded in share.parts:
            titles[name] = title
            counts = parts.setdefault(name, [0, 0])
            counts[0] += waits
            counts[1] += graded
    return Week(
        week,
        handed_in=sum(_has_handed_in(snapshot, row, week) for row in snapshot.rows),
        final=len(finals),
        mean=sum(finals) / len(finals) if finals else None,
        most=max((share.most for share in shares), default=0),
        looks=sum(share.needs_look for share in shares) + unread,
        done=sum(1 for (_, own), duty in snapshot.duties.items() if own == week and duty.done_by),
        parts=tuple(Part(name, titles[name], *counts) for name, counts in parts.items()),
    )


def _has_handed_in(snapshot: Snapshot, row: Row, week: str) -> bool:
    return row.handed_in(week, snapshot.state(row, week))


def _shares(row: Row) -> dict[str, _Share]:
    return {week: _share(row, week, report) for week, report in row.reports.items()}


def _share(row: Row, week: str, report: Report) -> _Share:
    waiting = () if report.excused else report.waiting
    parts = [
        (part.name, part.title, part.points is None and part.title in waiting, part.points is not None)
        for part in report.manual
    ]
    score = None if row.state(week) is State.NOTHING else row.final(week)  # as the class page counts
    return _Share(score, report.max_score, tuple(parts), needs_look(row, week))


def _troubles(snapshot: Snapshot) -> tuple[tuple[str, tuple[Trouble, ...]], ...]:
    """Return the commonest causes: one that several checks of a week name is one, and a student counts once."""
    found: dict[str, dict[str, set[int]]] = {}
    checks: dict[tuple[str, str], dict[str, CheckResult]] = {}
    for (person, week), report in snapshot.reports.items():
        for check in report.checks if report.counts else ():
            if check.outcome not in (Outcome.PASSED, Outcome.SKIPPED, Outcome.TODO):
                why = reason(check)
                checks.setdefault((week, why), {}).setdefault(check.id, check)
                found.setdefault(week, {}).setdefault(why, set()).add(person)
    return tuple((week, _commonest(found[week], week, checks)) for week in snapshot.weeks if week in found)


def _commonest(
    found: Mapping[str, Collection[int]], week: str, checks: Mapping[tuple[str, str], Mapping[str, CheckResult]]
) -> tuple[Trouble, ...]:
    ordered = sorted(found, key=lambda why: (-len(found[why]), why))
    return tuple(Trouble(_in_order(checks[week, why].values()), why, len(found[why])) for why in ordered[:MOST])


def _in_order(checks: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    return tuple(sorted(checks, key=lambda check: (task_order(check.task), check.hidden, check.title)))


def _items(snapshot: Snapshot) -> dict[str, list[tuple[CheckResult, Item]]]:
    found = {}
    for week in snapshot.weeks:
        reports = [report for (_, own), report in snapshot.reports.items() if own == week]
        found[week] = _paired(checks_of(snapshot, week), item_figures(reports))
    return found


def look_at_first(item: Item) -> str:
    """Say why a teacher should look at a check before the others; empty where nothing stands out."""
    reached = item.passed + item.failed
    if item.broken:
        return f"it broke on {counted(item.broken, 'work')}"
    if item.discrimination.is_reversed:
        return "those who do well elsewhere rather fail it"
    if reached >= FEWEST_REACHED and item.passed < HARD * reached:
        return f"too hard: {item.passed} of {reached} pass it"
    if item.unreached > reached and item.students >= FEWEST_REACHED:
        return f"{item.unreached} of {item.students} do not get there"
    return ""


def _paired(checks: Sequence[CheckResult], items: Sequence[Item]) -> list[tuple[CheckResult, Item]]:
    by_name = {(check.task, check.title): check for check in checks}
    return [(by_name[item.task, item.title], item) for item in items if (item.task, item.title) in by_name]
