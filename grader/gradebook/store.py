"""Puts the gradebook together: one SQLite file that holds every attempt, written by the parent process alone.

    people     who is in the class: `name` is shown and nobody else's, `called` what it was made of, `folder` holds
               the reports, `listed` says that the last roster has them (`people`)
    marks      all by which a person is known: ids, logins, addresses, names, each with its kind
    merges     who was merged into whom, with what both had before, so that it can be undone
    entries    which weeks the class folder holds of whom, and which it held once and are gone
    attempts   one row for each time that a student's week was graded; `report` is the whole report as JSON,
               `broken` how many of our own checks crashed, `seed` a text because it may be of any size, `at` when
               it was graded (`attempts`)
    problems   what could not be graded, and why; `week` is NULL where it is not known
    overrides  what a person decided of a task or a week, with who, why and when (UTC); the latest row for a task
               holds, and NULL points take it back (`adjustments`)
    granted    the extensions and times of submission of the last roster, which hold until there is another
    late       how many days a student's week came late, and what percentage of its points that costs
    deliveries how a student's week was handed in: the layout, the entries' names there, what its report shows of it
    sources    the modules of the works that are current, by the works' digests, for the teacher's pages (`deliveries`)
    answered   which answers a student's week holds that people grade, and since when
    answers    these answers, by their digests: cells of notebooks, texts and pictures (`deliveries`)
    weeks      the course's weeks, with the parts of each that people grade
    zeros      who has zero points for a week, as they handed in nothing
    stale      whose reports do not show yet what was decided
    comments   what people wrote of a line, a check, a task or a week; `about` says which (`together.comments`)
    phrases    texts of comments, for reuse, each with the key that writes it
    assigned   who looks after a student's week
    looked     who was done with a student's week, and which attempt that was
    requests   what students asked to have graded again, and what became of it
    actions    who did what at the desk, with what undoes it
    settings   choices that hold from run to run
    digests    for each version of an assignment a digest of what each check's verdict depends on (`runs`)
    runs       the seed of each run over a week that has not come to its end
    refusals   entries whose reading took too much, by name and a digest of their bytes, with the message
    latest     a view: the latest attempt at each student's week
    current    a view: those of them that the class folder still holds
    checks     a view: each check of each attempt, with its outcome and points

Scores in `attempts` are what the checks gave. Decisions and lateness stand beside them, so that they survive when a
week is graded again; `current()` puts both together. `database` says how the file is kept.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.errors import GraderError, UsageError
from grader.gradebook.attempts import Attempt, Attempts, Problem, ResultKey
from grader.gradebook.runs import Runs
from grader.scratch import held

__all__ = ["Attempt", "Gradebook", "Problem", "ResultKey", "copied_book", "open_book"]


class Gradebook(Attempts, Runs):
    """An open gradebook, created where there is none; a context manager.

    Every method raises `GraderError` when the file is damaged, foreign, newer, or in use by another run.
    """


def open_book(folder: Path, shared: bool = False) -> Gradebook:
    """Open the gradebook that `batch` left in a folder; `UsageError` where there is none."""
    file = folder / "gradebook.sqlite" if folder.is_dir() else folder
    if not file.is_file():
        raise UsageError(f"{folder}: there is no gradebook.sqlite; give the folder that `batch --out` wrote")
    return Gradebook(file, shared=shared)


@contextmanager
def copied_book(folder: Path) -> Iterator[Gradebook | None]:
    """Open a copy of a folder's gradebook, to look at it while a run may have it; None where there is none to read."""
    file = folder / "gradebook.sqlite"
    if not file.is_file() or file.with_name(f"{file.name}-journal").exists():  # a run is writing just now
        yield None
        return
    with held(), TemporaryDirectory() as place:
        copy = Path(place) / file.name
        try:
            _copy(file, copy)
            book = Gradebook(copy, copies=False)
        except GraderError as error:
            raise GraderError(str(error).replace(str(copy), str(file))) from error
        with book:
            yield book


def _copy(file: Path, copy: Path) -> None:
    """Copy a gradebook as it is; of one that the desk has open, a part is in the log beside it."""
    if not file.with_name(f"{file.name}-wal").exists():
        shutil.copyfile(file, copy)
        return
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except sqlite3.DatabaseError as error:
        raise GraderError(f"{file}: cannot be copied ({error})") from error
