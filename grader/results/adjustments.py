"""Adjusts a score after the checks: by tasks that a person scored, and by lateness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.results.report import Adjustment, Report, task_order


@dataclass(frozen=True)
class Override:
    """A person's score for one task of a student's week; `points` None gives the task back to the checks."""

    student: str
    week: str
    task: str
    points: int | None
    why: str
    who: str
    at: str


@dataclass(frozen=True)
class Late:
    """The days that a week was handed in late, and the percentage of its points that this costs."""

    days: int
    percent: int


def adjust(report: Report, overrides: Sequence[Override], late: Late | None) -> Report:
    """Return the report with a line for each task that a person scored, then one for what lateness costs.

    The percentage is taken of the points after overrides; fractions of a point are in the student's favour.
    """
    scores = {score.task: score for score in report.tasks()}
    lines = [
        Adjustment(
            f"Task {override.task} set to {override.points} of {scores[override.task].max_points}",
            (override.points or 0) - scores[override.task].points,
            f"{override.why} ({override.who}, {override.at[:10]})",
            override.task,
        )
        for override in sorted(overrides, key=lambda override: task_order(override.task))
        if override.task in scores
    ]
    if late:
        points = replace(report, adjustments=tuple(lines)).score
        days = "1 day" if late.days == 1 else f"{late.days} days"
        lines.append(
            Adjustment(
                f"Late by {days}",
                -(points * late.percent // 100),
                f"costs {late.percent or 'nothing'}{' %' if late.percent else ''}",
            )
        )
    return replace(report, adjustments=tuple(lines))
