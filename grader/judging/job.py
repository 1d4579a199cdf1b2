"""Describes one submission to grade, and one that no judge could finish."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grader.intake import Submission
from grader.results import CheckResult


@dataclass(frozen=True)
class Job:
    """One submission to grade, by value. `kept` are results of an earlier run, whose checks need not run again.

    Where `tasks` are named, only their checks run, and those of the tasks that these need.
    """

    student: str
    week: str
    files: dict[str, bytes]
    digest: str
    notes: tuple[str, ...]
    seed: int
    kept: tuple[CheckResult, ...] = ()
    tasks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {**self.__dict__, "notes": list(self.notes), "kept": [check.to_dict() for check in self.kept]}


@dataclass(frozen=True)
class Ungraded:
    """A job that no judge could finish, and why; `everywhere` tells that no other job would fare better."""

    job: Job
    message: str
    everywhere: bool = False


def job_of(submission: Submission, seed: int) -> Job:
    """Make the job that has a judge grade a submission."""
    return Job(submission.student, submission.week, submission.files, submission.digest, submission.notes, seed)
