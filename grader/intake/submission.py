"""Loads one student's week by value, ready to be graded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from grader.course import Assignment
from grader.errors import SubmissionError, UsageError
from grader.intake.classfolder import student_name
from grader.intake.collect import Collected, Files, digest_of
from grader.intake.reading.desk import DESK
from grader.intake.survey import Candidate, candidates_of
from grader.intake.weeks import Weeks


@dataclass(frozen=True)
class Submission:
    """One student's week by value: files by their paths in the week's folder. `digest` is the SHA-256 of `files`."""

    student: str
    week: str
    files: Files
    notes: tuple[str, ...]
    digest: str


def load(candidate: Candidate) -> Submission:
    """Give a candidate's files. Raises `SubmissionError` with one clear line where there is nothing to grade.

    The state that the survey has read counts. Where the survey had to drop the files, the entry is read again, and its
    present state counts, with a digest of its own; states are never mixed.
    """
    collected = _surveyed(candidate)
    files = collected.files
    if files is None:
        collected, files = _collect_again(candidate)
    told = candidate.handed.notes if candidate.handed else ()
    return Submission(candidate.student, candidate.week or "", files, (*told, *collected.notes), collected.digest)


def surveyed_digest(candidate: Candidate) -> str:
    """Return the digest of a candidate's files as the survey read them. Raises `SubmissionError` as `load` does."""
    return _surveyed(candidate).digest


def load_folder(folder: Path, assignment: Assignment) -> Submission:
    """Read a single submission to one week: a folder or a file, named after the student or not."""
    if not os.path.exists(folder):
        raise UsageError(f"{folder}: there is no such folder or file")
    whole = folder.resolve()
    weeks = Weeks({assignment.week: assignment}, (assignment.week,))
    try:
        return load(candidates_of(whole, student_name(whole), "", weeks)[0])
    finally:
        DESK.rest()


def empty_submission(folder: Path, assignment: Assignment, note: str) -> Submission:
    """Make a submission without any file, which can be graded, with a note that says why."""
    return Submission(student_name(folder.resolve()), assignment.week, {}, (note,), digest_of({}))


def _surveyed(candidate: Candidate) -> Collected:
    if candidate.place is None or candidate.collected is None:
        raise SubmissionError(candidate.problem)
    if isinstance(candidate.collected, SubmissionError):
        raise SubmissionError(str(candidate.collected))  # anew, since each raising adds to an error's traceback
    return candidate.collected


def _collect_again(candidate: Candidate) -> tuple[Collected, Files]:
    assert candidate.place is not None
    assert candidate.weeks is not None
    collected = DESK.collect(candidate.path, candidate.parts, candidate.place, candidate.weeks)
    assert collected.files is not None
    return collected, collected.files
