"""Loads one student's week by value, ready to be graded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from grader.course import Assignment
from grader.errors import SubmissionError, UsageError
from grader.intake.candidate import Candidate
from grader.intake.collect import Collected, Files, digest_of
from grader.intake.folders.downloads import kind_of
from grader.intake.folders.students import holds_students, named_after
from grader.intake.layouts import called
from grader.intake.reading.desk import DESK
from grader.intake.survey import candidates_of
from grader.intake.weeks import Weeks

_BATCH = "`run` cannot grade it: grade a class with `batch`, or give one student's folder"


@dataclass(frozen=True)
class Submission:
    """One student's week by value: files by their paths in the week's folder. `digest` is the SHA-256 of `files`.

    `answers` are what people grade, packed, and `answered` is their digest, empty where there are none.
    """

    student: str
    week: str
    files: Files
    notes: tuple[str, ...]
    digest: str
    answers: bytes = b""
    answered: str = ""


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
    return Submission(
        candidate.student, candidate.week or "", files, (*told, *collected.notes), collected.digest, collected.answers,
        collected.answered,
    )  # fmt: skip


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
        return load(candidates_of(whole, named_after(whole), "", weeks)[0])
    finally:
        DESK.rest()


def refuse_class(folder: Path, assignment: Assignment) -> None:
    """Raise `UsageError` where a folder or zip is a whole class, which is no single submission."""
    if not os.path.isdir(folder) and folder.suffix.lower() != ".zip":
        return
    weeks = Weeks({assignment.week: assignment}, (assignment.week,))
    try:
        kind = kind_of(folder, weeks, DESK)
        if kind.downloads:
            raise UsageError(f"{folder} is a download from {called(kind.downloads[0].layout)}, so {_BATCH}")
        if holds_students(kind.listing, weeks, DESK):
            raise UsageError(f"{folder} holds several students' work, so {_BATCH}")
    finally:
        DESK.rest()


def empty_submission(folder: Path, assignment: Assignment, note: str) -> Submission:
    """Make a submission without any file, which can be graded, with a note that says why."""
    return Submission(named_after(folder.resolve()), assignment.week, {}, (note,), digest_of({}))


def _surveyed(candidate: Candidate) -> Collected:
    if candidate.place is None or candidate.collected is None:
        raise SubmissionError(candidate.problem)
    if isinstance(candidate.collected, SubmissionError):
        raise SubmissionError(str(candidate.collected))  # anew, since each raising adds to an error's traceback
    return candidate.collected


def _collect_again(candidate: Candidate) -> tuple[Collected, Files]:
    assert candidate.place is not None
    assert candidate.weeks is not None
    attempts = candidate.handed.attempts if candidate.handed else ()
    collected = DESK.collect(candidate.path, candidate.parts, candidate.place, candidate.weeks, attempts)
    assert collected.files is not None
    return collected, collected.files
