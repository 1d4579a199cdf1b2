"""One student's week by value, ready to be graded."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from grader.course import Assignment
from grader.errors import SubmissionError, UsageError
from grader.intake.classfolder import student_name
from grader.intake.collect import collect
from grader.intake.contents import read_entry
from grader.intake.survey import Candidate, candidates_of
from grader.intake.weeks import Weeks


@dataclass(frozen=True)
class Submission:
    """One student's week by value: files by their paths in the week's folder. `digest` is the SHA-256 of `files`."""

    student: str
    week: str
    files: dict[str, bytes]
    notes: tuple[str, ...]
    digest: str


def load(candidate: Candidate) -> Submission:
    """Read a candidate's files. Raises `SubmissionError` with one clear line where that is impossible."""
    if candidate.place is None or candidate.weeks is None:
        raise SubmissionError(candidate.problem)
    place = candidate.place
    contents = read_entry(candidate.path, place.folder, candidate.parts)
    gone = [path for path in (*place.modules.values(), *place.notebooks) if path not in contents.files]
    if gone:
        raise SubmissionError(f"{gone[0]} was there a moment ago and cannot be read any more; grade again")
    assignment = candidate.weeks.assignments[place.week]
    files, notes = collect(contents, place, assignment, candidate.weeks)
    told = candidate.handed.notes if candidate.handed else ()
    return Submission(candidate.student, place.week, files, (*told, *notes), _digest(files))


def load_folder(folder: Path, assignment: Assignment) -> Submission:
    """Read a single submission to one week: a folder or a file, named after the student or not."""
    if not os.path.exists(folder):
        raise UsageError(f"{folder}: there is no such folder or file")
    whole = folder.resolve()
    weeks = Weeks({assignment.week: assignment}, (assignment.week,))
    return load(candidates_of(whole, student_name(whole), "", weeks)[0])


def empty_submission(folder: Path, assignment: Assignment, note: str) -> Submission:
    """A submission without any file, which can be graded, with a note that says why."""
    return Submission(student_name(folder.resolve()), assignment.week, {}, (note,), _digest({}))


def _digest(files: dict[str, bytes]) -> str:
    sha = hashlib.sha256()
    for path, content in sorted(files.items()):
        for part in (path.encode(), content):
            sha.update(len(part).to_bytes(8, "big") + part)
    return sha.hexdigest()
