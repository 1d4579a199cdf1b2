"""Compares a gradebook with another one, or with what it was: whose grade changed, by which checks or lateness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.gradebook.store import open_book
from grader.language import decimal, retold
from grader.results import CheckResult, Report
from grader.results.points import signed


def changed_grades(folder: Path, against: Path | None = None) -> list[str]:
    """Return a line for each student's week whose grade changed, and an indented one for each reason."""
    with open_book(folder) as book:
        after = book.current()
        found = [] if against else [book.before(report.student, report.week) for report in after]
        before = [old for old in found if old is not None]
    if against:
        with open_book(against) as book:
            before = book.current()
    return list(changes(before, after, both=against is not None))


def changes(before: Sequence[Report], after: Sequence[Report], both: bool = True) -> Iterator[str]:
    """Yield a line for each student's week whose grade changed, and an indented one for each reason.

    With `both`, a week that only one of the two runs has is a change as well.
    """
    old = {(report.student, report.week): report for report in before}
    new = {(report.student, report.week): report for report in after}
    for key in sorted({*old, *new}):
        name = " ".join(key)
        if key in old and key in new:
            yield from _change(name, old[key], new[key])
        elif both:
            one = new.get(key) or old[key]
            run = "later" if key in new else "earlier"
            yield f"{name}: only in the {run} run ({decimal(one.grade)})"


def _change(name: str, old: Report, new: Report) -> Iterator[str]:
    checks = [] if old.by_hand or new.by_hand else list(_changed_checks(old, new))
    lines = [line for line in _adjustments(new) if line not in _adjustments(old)]
    gone = [line for line in _adjustments(old) if line not in _adjustments(new) and not line.endswith(": +0")]
    if old.grade == new.grade and not checks:
        return
    yield f"{name}: {decimal(old.grade)} → {decimal(new.grade)} ({_what(old, new)})"
    yield from (f"  {line}" for line in checks)
    yield from (f"  + {line}" for line in lines)
    yield from (f"  - {line}" for line in gone)


def _what(old: Report, new: Report) -> str:
    if old.by_hand or new.by_hand:  # no check has graded one of the two
        return "graded by checks now" if not new.by_hand else new.by_hand
    what = "the same work" if old.submission == new.submission else "new work"
    what += "" if old.assignment == new.assignment else ", changed checks"
    return what + (", other seed" if old.seed != new.seed else "")


def _changed_checks(old: Report, new: Report) -> Iterator[str]:
    was = {check.id: check for check in old.checks}
    now = {check.id: check for check in new.checks}
    for id in dict.fromkeys([*now, *was]):
        left, right = was.get(id), now.get(id)
        if left and right and (left.points, left.max_points) == (right.points, right.max_points):
            continue
        one = right or left
        assert one is not None
        yield f"{one.task} {one.title}: {_state(left)} → {_state(right)}"


def _state(check: CheckResult | None) -> str:
    return f"{check.outcome} {decimal(check.points)}/{decimal(check.max_points)}" if check else "no such check"


def _adjustments(report: Report) -> list[str]:
    parts = [
        f"{part.title}: {decimal(part.points)} of {decimal(part.max_points)}"
        for part in report.manual
        if part.points is not None
    ]
    excused = [f"excused: {report.excused}"] if report.excused else []
    return [*(f"{retold(line.what)}: {decimal(signed(line.points))}" for line in report.adjustments), *parts, *excused]
