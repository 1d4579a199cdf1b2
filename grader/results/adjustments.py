"""Adjusts a score after the checks: by what a person decided, and by lateness.

Task by task, then manual parts, then what lateness costs, then a bonus and a penalty, then a score for the whole week,
which is the last word. No line takes the score below zero or above what the week is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from grader.inside import says
from grader.results.manual import ManualPart, Remark, RubricItem
from grader.results.points import share_of, total
from grader.results.report import WEEK, Adjustment, Report
from grader.results.tasks import task_order

BONUS, PENALTY, LATENESS = "bonus", "penalty", "lateness"
WHOLE_WEEK = (WEEK, BONUS, PENALTY, LATENESS)  # what may be decided beside tasks


class Kind(StrEnum):
    """What a person may decide of a task or a week."""

    POINTS = "points"
    EXCUSED = "excused"  # the week counts nothing for this student
    WAIVED = "waived"  # lateness costs nothing
    COMMENT = "comment"


@dataclass(frozen=True)
class Override:
    """A person's decision about a student's week, or a task of it; `points` None takes it back.

    `task` is a task of the checks, a manual part, or one of `WHOLE_WEEK`. Kinds without points have 0. `items` are
    those of a rubric that apply, and `most` the week's points where no report tells them.
    """

    student: str
    week: str
    task: str
    points: float | None
    why: str
    who: str
    at: str
    kind: Kind = Kind.POINTS
    items: tuple[RubricItem, ...] = ()
    most: float = 0

    @property
    def slot(self) -> tuple[str, bool]:
        """What it is about: of all decisions with one slot, the latest holds."""
        return self.task, self.kind is Kind.COMMENT

    @property
    def by(self) -> str:
        """Who decided, and when."""
        return f"{self.who}, {self.at[:10]}"

    @property
    def reason(self) -> str:
        """Why, by whom, and when."""
        return f"{self.why} ({self.by})" if self.why else self.by


@dataclass(frozen=True)
class Late:
    """The days that a week was handed in late, and the percentage of its points that this costs."""

    days: int
    percent: int


Held = Mapping[tuple[str, bool], Override]


def adjust(
    report: Report, overrides: Sequence[Override], late: Late | None, parts: Sequence[ManualPart] = ()
) -> Report:
    """Return the report with its manual parts, a line for each thing that changes its points, and remarks.

    The percentage that lateness costs is taken of the points before it, and rounded down to whole points, in the
    student's favour.
    """
    held = {override.slot: override for override in overrides if override.points is not None}
    report = replace(report, manual=tuple(_graded(part, held.get((part.name, False))) for part in parts))
    report = _with(report, _task_lines(report, held))
    report = _with(report, _late_lines(report, late, held.get((LATENESS, False))))
    for name, sign in ((BONUS, 1), (PENALTY, -1)):
        report = _with(report, _changed(report, name, sign, held.get((name, False))))
    whole = held.get((WEEK, False))
    excused = whole.reason if whole and whole.kind is Kind.EXCUSED else ""
    if whole and not excused:
        report = _with(report, [_set(report, whole)])
    return replace(report, excused=excused, remarks=tuple(_remarks(held)))


def _with(report: Report, lines: Sequence[Adjustment]) -> Report:
    return replace(report, adjustments=(*report.adjustments, *lines)) if lines else report


def _graded(part: ManualPart, override: Override | None) -> ManualPart:
    if override is None:
        return part
    points = min(override.points or 0, part.max_points)
    return replace(part, points=points, given=override.items, why=override.why, by=override.by)


def _task_lines(report: Report, held: Held) -> list[Adjustment]:
    scores = {score.task: score for score in report.tasks()}
    found = [override for (task, remark), override in held.items() if task in scores and not remark]
    lines = []
    for override in sorted(found, key=lambda override: task_order(override.task)):
        score = scores[override.task]
        points = min(override.points or 0, score.max_points)
        what = says(f"Task {override.task} set to {points} of {score.max_points}")
        lines.append(Adjustment(what, total((points, -score.points)), override.reason, override.task, "override"))
    return lines


def _late_lines(report: Report, late: Late | None, waived: Override | None) -> list[Adjustment]:
    if late is None:
        return []
    what = says("Late by 1 day") if late.days == 1 else says(f"Late by {late.days} days")
    if waived:
        return [Adjustment(what, 0, f"{says('waived')}: {waived.reason}", kind="late")]
    costs = says(f"costs {late.percent} %") if late.percent else says("costs nothing")
    return [Adjustment(what, -share_of(report.score, late.percent), costs, kind="late")]


def _changed(report: Report, name: str, sign: int, override: Override | None) -> list[Adjustment]:
    if override is None:
        return []
    points = override.points or 0
    after = min(max(total((report.score, sign * points)), 0), report.max_score)
    change = total((after, -report.score))
    what = _named(name, points)
    if change != sign * points:
        cut = says("as far as the week has so many" if sign > 0 else "as far as there are so many")
        what = f"{what} ({cut})"
    return [Adjustment(what, change, override.reason, kind=name)]


def _named(name: str, points: float) -> str:
    if points == 1:
        return says("Bonus of 1 point" if name == BONUS else "Penalty of 1 point")
    return says(f"Bonus of {points} points") if name == BONUS else says(f"Penalty of {points} points")


def _set(report: Report, override: Override) -> Adjustment:
    points = min(override.points or 0, report.max_score)
    what = says(f"Score of the week set to {points} of {report.max_score}")
    return Adjustment(what, total((points, -report.score)), override.reason, WEEK, "override")


def _remarks(held: Held) -> Iterator[Remark]:
    found = [override for (_, remark), override in held.items() if remark]
    for override in sorted(found, key=lambda one: (one.task != WEEK, task_order(one.task), one.task)):
        yield Remark(override.why, override.by, "" if override.task == WEEK else override.task)
