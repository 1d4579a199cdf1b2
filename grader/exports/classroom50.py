"""Writes Classroom 50's `result.json` (schema `classroom50/result/v1`), one test for each check."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from grader.errors import UsageError
from grader.escape import terminal
from grader.reports.words import points_of
from grader.results import CheckResult, Outcome, Report
from grader.results.points import whole

SCHEMA = "classroom50/result/v1"
ASSET = "grader-report.html"  # in the checkout: what `release_assets` of an assignment can name


def result(report: Report, environment: Mapping[str, str], submitted: datetime, graded: datetime) -> dict[str, Any]:
    """Return the content of `result.json`; `submitted` is the graded commit's time, the same on every regrade.

    `UsageError` names variables that Classroom 50's runner sets and this environment lacks.
    """
    missing = [name for name in ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG") if not environment.get(name)]
    if missing:
        raise UsageError(f"not in a Classroom 50 job: {', '.join(missing)} not set")
    commit = environment.get("COMMIT_URL") or environment["SUBMISSION_TAG"]  # no link may be empty
    return {
        "schema": SCHEMA,
        "classroom": environment["CLASSROOM"],
        "assignment": environment["ASSIGNMENT"],
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",  # or `group`, or `team`
        "owner": environment.get("OWNER") or environment.get("USERNAME", ""),
        "submission": environment["SUBMISSION_TAG"],
        "commit": commit,
        "release": environment.get("RELEASE_URL") or commit,
        "review": environment.get("REVIEW_URL") or commit,  # older runners do not set it
        "datetime": stamp(submitted),
        "graded_at": stamp(graded),
        "score": whole(report.score),
        "max-score": whole(report.max_score),
        "tests": [_test(check) for check in report.for_student().checks],
        **_submitted_by(environment),
    }


def _submitted_by(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return who pushed: in a group that need not be the owner of the repository."""
    login, number = (environment.get(name, "").strip() for name in ("GITHUB_ACTOR", "GITHUB_ACTOR_ID"))
    known = number.isascii() and number.isdigit()
    return {"submitted_by": {"username": login, "id": int(number) if known else None}} if login else {}


def outputs(report: Report) -> dict[str, str]:
    """Return what the runner reads from `$GITHUB_OUTPUT`."""
    passed = all(check.outcome is Outcome.PASSED for check in report.checks)
    status = "error" if report.broken else "success" if passed else "failure"
    return {"status": status, "summary": f"{report.week}: {points_of(report.score, report.max_score)}"}


def _test(check: CheckResult) -> dict[str, Any]:
    return {
        "test-name": terminal(f"{check.task} {check.title}"),
        "passed": check.outcome is Outcome.PASSED,
        "score": check.points,
        "max-score": check.max_points,
    }


def stamp(when: datetime) -> str:
    """Write a time as Classroom 50 does."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
