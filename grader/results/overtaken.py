"""Finds decisions that were made about earlier work, and that newer work would score more without.

A decision holds until a person decides anew, so such a grade does not change; but nobody may overlook it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from grader.results.adjustments import Kind, Override
from grader.results.points import total
from grader.results.report import WEEK, Overtaken, Report


def find_overtaken(
    report: Report, decisions: Collection[Override], work_at: Callable[[str], Report | None]
) -> Iterator[Overtaken]:
    """Yield what was decided and newer work would score more without, in a report with these decisions.

    `work_at` returns what the checks gave to the work that was current at a time, None where none was graded. The same
    work is newer where checks give it more points than they did, as after one of them was mended.
    """
    held = {one.task: one for one in decisions if one.kind in (Kind.POINTS, Kind.EXCUSED) and one.points is not None}
    if report.by_hand:
        return
    if report.excused:
        before = work_at(held[WEEK].at) if WEEK in held else report
        if report.score > 0 and (before is None or before.submission != report.submission):
            yield Overtaken(WEEK, None, report.score)
        return
    for line in report.adjustments:
        one = held.get(line.task)
        if line.kind != "override" or line.points >= 0 or one is None or (WEEK in held and line.task != WEEK):
            continue
        before = work_at(one.at)
        is_new = before is None or before.submission != report.submission
        if is_new or _given(report, line.task) > _given(before, line.task):
            points = total((_given(report, line.task), line.points)) if line.task != WEEK else report.score
            yield Overtaken(line.task, points, total((points, -line.points)))


def _given(report: Report | None, task: str) -> float:
    """Return the points that checks gave for a task, or for the whole week."""
    if report is None:
        return 0
    return report.raw_score if task == WEEK else sum(check.points for check in report.checks if check.task == task)
