"""Writes Gradescope's `results.json`, one test for each check."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from grader.escape import plain, terminal
from grader.exports.gradescope_metadata import Metadata, attempt_lines
from grader.language import retold, tr
from grader.reports.words import broke, change, phrase, points_of
from grader.results import CheckResult, Outcome, Report

_STATUS = {True: "passed", False: "failed"}
_COLUMNS = 6  # of the leaderboard, which has to fit on a page


def results(report: Report, told: Metadata | None = None) -> dict[str, Any]:
    """Return the content of `results.json`. Text is sent as plain text, which Gradescope does not interpret.

    The total is `score`, so that adjustments count. Every test is visible, since a hidden one would hide the total.
    As in every report, students see only the title and the kind of fault of a hidden check. `told` is what Gradescope
    says of the submission. It shows the leaderboard only where the instructor has switched it on.
    """
    shown = report.for_student()
    return {
        "score": report.score,
        "execution_time": max(1, round(sum(check.seconds for check in shown.checks))),
        "output": plain("\n".join([*_head(shown), *attempt_lines(report.score, told or Metadata())])),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(check) for check in shown.checks],
        "leaderboard": _leaderboard(shown),
        "extra_data": {"seed": shown.seed, "grader": shown.grader, "assignment": shown.assignment},
    }


def _head(report: Report) -> Iterator[str]:
    yield f"{report.week}: {points_of(report.score, report.max_score)}"
    if report.waiting:
        waiting = ", ".join(map(retold, report.waiting))
        yield f"{tr('This score is provisional')}. {tr('A person has yet to grade')}: {waiting}."
    if report.broken:
        tell = f" {tr('Tell')} {report.contact}." if report.contact else ""
        yield f"{tr('This score is provisional')}. {broke(report)}{tell}"
    for line in report.adjustments:
        yield f"{retold(line.what)}: {change(line.points)}" + (f" ({retold(line.why)})" if line.why else "")
    for part in report.manual:
        if part.points is not None:
            yield f"{part.title}: {points_of(part.points, part.max_points)}" + (f" ({part.why})" if part.why else "")
    yield from map(retold, report.notes)


def _test(check: CheckResult) -> dict[str, Any]:
    lines = [phrase(check.outcome)] if check.outcome is not Outcome.PASSED else []
    lines += [part for part in (retold(check.message), f"{tr('Hint')}: {check.hint}" if check.hint else "") if part]
    return {
        "number": check.task,
        "name": plain(check.title + (f" ({tr('hidden')})" if check.hidden else "")),
        "score": check.points,
        "max_score": check.max_points,
        "status": _STATUS[check.outcome is Outcome.PASSED],
        "output": plain("\n".join(lines)),
        "visibility": "visible",
        "tags": [tr("task {task}", task=check.task), tr("hidden" if check.hidden else "public"), check.outcome.value],
    }


def failed(says: str, contact: str = "") -> dict[str, Any]:
    """Return a `results.json` without a score: Gradescope shows that the autograder failed, and gives no points."""
    fault = tr("Grading failed; that is our fault, not yours.")
    return {
        "output": plain(f"{fault} {tr('Tell')} {contact or tr('your instructor')}: {says}"),
        "output_format": "text",
        "stdout_visibility": "hidden",
    }


def _leaderboard(shown: Report) -> list[dict[str, Any]]:
    """Rank by points, then by what public checks have measured, as accuracies; a loss is better when it is less."""
    rows: dict[str, dict[str, Any]] = {"Points": {"name": tr("Points"), "value": shown.score}}
    for check in shown.checks:
        for measure in () if check.hidden else check.measures:
            name = terminal(measure.what.removeprefix("the ")).capitalize()
            if math.isfinite(measure.value):
                order = {} if measure.least else {"order": "asc"}
                rows.setdefault(name, {"name": name, "value": round(measure.value, 4), **order})
    return list(rows.values())[:_COLUMNS]
