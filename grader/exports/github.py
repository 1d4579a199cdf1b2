"""Writes results for GitHub Classroom's `autograding-grading-reporter`: base64 of JSON, a variable for each runner.

The reporter's table shows passed tests / tests × points, its notice the sum of the tests' scores. The two agree
if all tests of a runner have the same weight. So each task is one runner, or several if its checks differ in weight:
`Week5Task3` or `Week5Task3Worth2`, whose checks are worth 2 points each. The table shows 18 letters of a name.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from string import ascii_letters
from typing import Any

from grader.escape import github_log, plain, terminal
from grader.language import retold, tr
from grader.results import CheckResult, Outcome, Report, TaskScore

LARGEST = 90_000  # bytes of base64 in one variable; Linux takes no string above 128 KiB
LONGEST = 2_000  # characters of a message
_SHORTER = (LONGEST, 400, 0)  # limits to try, one after the other, while a variable is too large


def runners(report: Report) -> dict[str, dict[str, Any]]:
    """Return what the reporter reads for each runner, by the runner's id of letters and digits.

    Overrides and lateness are no tests, so the reporter cannot show them; the report does.
    """
    found = {}
    for score in report.for_student().tasks():
        parts = list(_by_weight(score))
        for checks in parts:
            weight = checks[0].max_points if len(parts) > 1 else None
            found[_name(report.week, score.task, weight)] = _runner(report.week, checks)
    return found


def variables(report: Report) -> dict[str, str]:
    """Return `<ID>_RESULTS` for each runner, each short enough for an environment variable."""
    return {f"{name.upper()}_RESULTS": _encoded(content) for name, content in runners(report).items()}


def _by_weight(score: TaskScore) -> Iterator[list[CheckResult]]:
    for weight in dict.fromkeys(check.max_points for check in score.checks):
        yield [check for check in score.checks if check.max_points == weight]


def _name(week: str, task: str, weight: int | None) -> str:
    """Name a runner in ASCII letters and digits, which are all that the reporter takes."""
    number = task.removeprefix(f"{week.lstrip(ascii_letters)}.").replace(".", "x")
    words = (week.capitalize(), "Task", number, "" if weight is None else f"Worth{weight}")
    return re.sub(r"[^A-Za-z0-9]", "", "".join(words))


def _runner(week: str, checks: list[CheckResult]) -> dict[str, Any]:
    outcomes = {_status(check.outcome) for check in checks}
    return {
        "version": 1,
        "status": next(status for status in ("error", "fail", "pass") if status in outcomes),
        "max_score": sum(check.max_points for check in checks),
        "tests": [_test(week, check) for check in checks],
    }


def _test(week: str, check: CheckResult) -> dict[str, Any]:
    text = github_log(plain(_advice(check))[:LONGEST])
    status = _status(check.outcome)
    return {
        "name": github_log(terminal(f"{check.task} {check.title}")),
        "status": status,
        "score": check.points,
        "message": text if status == "error" else "",
        # For a failed test, only this is shown.
        "test_code": text if status == "fail" else "",
        "filename": tr("hidden check") if check.hidden else f"assignments/{week}/{check.id.partition('::')[0]}",
        "line_no": 0,
        "duration": round(check.seconds, 3),
    }


def _advice(check: CheckResult) -> str:
    return "\n".join(filter(None, (retold(check.message), check.hint)))


def _status(outcome: Outcome) -> str:
    if outcome is Outcome.PASSED:
        return "pass"
    return "fail" if outcome in (Outcome.FAILED, Outcome.TODO, Outcome.SKIPPED) else "error"


def _encoded(content: dict[str, Any]) -> str:
    for longest in _SHORTER:
        tests = [
            {**t, "message": t["message"][:longest], "test_code": t["test_code"][:longest]} for t in content["tests"]
        ]
        text = base64.b64encode(json.dumps({**content, "tests": tests}).encode()).decode()
        if len(text) <= LARGEST:
            return text
    return text
