"""Opens the gradebook: one SQLite file that holds every attempt, written by the parent process alone.

    attempts   one row for each time that a student's week was graded; `report` is the whole report as JSON,
               `broken` how many of our own checks crashed, `seed` a text because it may be of any size
    problems   what could not be graded, and why; `week` is NULL where it is not known
    overrides  tasks that a person scored, with who, why and when (UTC); the latest row for a task holds, and
               NULL points give the task back to the checks
    late       how many days a student's week came late, and what percentage of its points that costs
    roster     who is in the class, and in which section, as of the last run that had a roster
    digests    for each version of an assignment a digest of what each check's verdict depends on
    runs       the seed of each run over a week that has not come to its end
    refusals   entries whose reading took too much, by name and a digest of their bytes, with the message
    current    a view: the latest attempt at each student's week
    checks     a view: each check of each attempt, with its outcome and points

Scores in `attempts` are what the checks gave. Overrides and lateness stand beside them, so that they survive when a
week is graded again; `current()` puts both together.

The file carries an `application_id` of its own, and its schema's number in `user_version`. It uses a
rollback journal, not a write-ahead log: all that was committed is in the one file, even after a kill, and no
file stays beside it once it is closed. An exclusive lock keeps a second run out while this one has the file open.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from grader.course import week_order
from grader.errors import GraderError, UsageError
from grader.files import make_folder, make_private
from grader.gradebook import schema
from grader.results import CheckResult, Late, Override, Report, adjust

_SAME_WORK = """
SELECT id, assignment, broken FROM current AS attempt
WHERE student = ? AND week = ? AND submission = ? AND grader = ? AND seed = ? AND NOT EXISTS (
    SELECT 1 FROM problems WHERE problems.student = attempt.student AND problems.week = attempt.week
)
"""

_ONE = "WHERE student = ? AND week = ?"

Overrides = dict[tuple[str, ...], list[Override]]  # by student and week


@dataclass(frozen=True)
class ResultKey:
    """All that a result depends on: equal keys, equal results."""

    student: str
    week: str
    submission: str
    assignment: str
    grader: str
    seed: int

    @classmethod
    def of(cls, report: Report) -> ResultKey:
        return cls(report.student, report.week, report.submission, report.assignment, report.grader, report.seed)


@dataclass(frozen=True)
class Problem:
    """Something that could not be graded; `week` is None where it concerns a submission as a whole."""

    student: str
    week: str | None
    message: str


@dataclass(frozen=True)
class Attempt:
    """One time that a student's week was graded; `broken` is how many of our own checks crashed."""

    id: int
    assignment: str
    broken: int

    def answers(self, key: ResultKey) -> bool:
        """Tell whether it used the very same assignment, and is final: a result with broken checks is not."""
        return self.assignment == _texts(key.assignment)[0] and not self.broken


class Gradebook:
    """An open gradebook, created where there is none; a context manager.

    Every method raises `GraderError` when the file is damaged, foreign, newer, or in use by another run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._weekless: set[str] = set()
        self._open()

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, so that others can open it; what was recorded is in it already."""
        self._database.close()

    def find(self, key: ResultKey) -> Attempt | None:
        """Find the student's current attempt if it graded this very work, under any version of the assignment.

        Returns None also where there is a later problem with the same week: then grade it again.
        """
        row = self._rows(_SAME_WORK, *_same_work(key))
        return Attempt(*row[0]) if row else None

    def seed_of(self, student: str, week: str, submission: str) -> int | None:
        """Return the seed of the student's current attempt, if that graded this very work; else None."""
        query = f"SELECT seed FROM current {_ONE} AND submission = ?"
        rows = self._rows(query, *_texts(student, week, submission))
        return int(rows[0][0]) if rows else None

    def begin_run(self, week: str, seed: int) -> int:
        """Record that a run over a week begins with this seed; return that of one which has not ended, if there is."""
        with self._transaction() as database:
            database.execute("INSERT OR IGNORE INTO runs VALUES (?, ?)", _texts(week, seed))
        return int(self._rows("SELECT seed FROM runs WHERE week = ?", *_texts(week))[0][0])

    def end_runs(self, weeks: Iterable[str]) -> None:
        """Record that the runs over these weeks have ended."""
        with self._transaction() as database:
            database.executemany("DELETE FROM runs WHERE week = ?", [_texts(week) for week in weeks])

    def report_of(self, attempt: Attempt) -> Report:
        """Read the whole report of an attempt, which takes time."""
        return self._report(*self._rows("SELECT id, report FROM attempts WHERE id = ?", attempt.id)[0])

    def record_roster(self, sections: Mapping[str, str]) -> None:
        """Record who is in the class, by name, and in which section, in place of what was recorded before."""
        with self._transaction() as database:
            database.execute("DELETE FROM roster")
            rows = [_texts(student, section) for student, section in sections.items()]
            database.executemany("INSERT OR REPLACE INTO roster VALUES (?, ?)", rows)

    def roster(self) -> dict[str, str]:
        """Return who is in the class, with their sections; empty where no run had a roster."""
        return dict(self._rows("SELECT student, section FROM roster ORDER BY student"))

    def record_digests(self, assignment: str, digests: Mapping[str, str]) -> None:
        """Record what each check of an assignment's version depends on (`grader.course.check_digests`)."""
        with self._transaction() as database:
            database.executemany(
                "INSERT OR REPLACE INTO digests VALUES (?, ?, ?)",
                [_texts(assignment, check, digest) for check, digest in digests.items()],
            )

    def digests(self, assignment: str) -> dict[str, str]:
        """Return what was recorded for an assignment's version; empty where nothing was."""
        return dict(self._rows('SELECT "check", digest FROM digests WHERE assignment = ?', *_texts(assignment)))

    def record_refusals(self, refusals: Mapping[tuple[str, str], str]) -> None:
        """Record why entries are refused, each by its name and a digest, so that they need not be read again."""
        with self._transaction() as database:
            rows = [_texts(*key, why) for key, why in refusals.items()]
            database.executemany("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?)", rows)

    def refusals(self) -> dict[tuple[str, str], str]:
        """Return what was recorded of refused entries."""
        return {(name, digest): why for name, digest, why in self._rows("SELECT * FROM refusals")}

    def record(self, report: Report) -> None:
        """Make `report` the current result of its student's week, and earlier ones history.

        It clears that week's problem, and a problem without a week if that comes from an earlier run.
        """
        key = _texts(*astuple(ResultKey.of(report)))
        student, week = key[:2]
        with self._transaction() as database:
            database.execute(
                "INSERT INTO attempts VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*key, report.raw_score, report.max_score, len(report.broken), *_texts(report.to_json())),
            )
            database.execute("DELETE FROM problems WHERE student = ? AND week = ?", (student, week))
            if report.student not in self._weekless:
                database.execute("DELETE FROM problems WHERE student = ? AND week IS NULL", (student,))

    def record_problem(self, student: str, week: str | None, message: str) -> None:
        """Record why a student's week could not be graded, in place of what was recorded before."""
        if week is None:
            self._weekless.add(student)
        name, why = _texts(student, message)
        where = None if week is None else _texts(week)[0]
        with self._transaction() as database:
            database.execute("DELETE FROM problems WHERE student = ? AND week IS ?", (name, where))
            database.execute("INSERT INTO problems VALUES (?, ?, ?)", (name, where, why))

    def clear_problems(self, students: Iterable[str]) -> None:
        """Delete these students' problems, because their submissions are about to be looked at again."""
        students = set(students)
        self._weekless -= students
        with self._transaction() as database:
            database.executemany("DELETE FROM problems WHERE student = ?", [_texts(student) for student in students])

    def current(self) -> list[Report]:
        """Return each student's latest result of each week, with overrides and lateness, by student, then week."""
        return self._current(CheckResult.from_dict)

    def has_attempts(self) -> bool:
        """Tell whether anything was ever graded."""
        return bool(self._rows("SELECT 1 FROM attempts LIMIT 1"))

    def overview(self) -> list[Report]:
        """Return `current()` for the pages about the class, without what only a student's own page shows."""
        return self._current(CheckResult.brief_from_dict)

    def _current(self, check: Callable[..., CheckResult]) -> list[Report]:
        overrides, late = self._overrides(), self._late()
        with self._errors():
            rows = self._database.execute("SELECT id, report FROM current")
            adjusted = [_adjusted(self._report(id, text, check), overrides, late) for id, text in rows]
        return sorted(adjusted, key=lambda report: (report.student, week_order(report.week)))

    def adjusted(self, report: Report) -> Report:
        """Apply the overrides and the lateness of its student's week to a report as the checks gave it."""
        key = _texts(report.student, report.week)
        return _adjusted(report, self._overrides(*key), self._late(*key))

    def override(self, override: Override) -> None:
        """Record a person's score for a task; it holds until another is recorded, even if the week is graded again."""
        student, week, task, why, who, at = _texts(
            override.student, override.week, override.task, override.why, override.who, override.at
        )
        with self._transaction() as database:
            database.execute(
                "INSERT INTO overrides VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
                (student, week, task, override.points, why, who, at),
            )

    def record_late(self, student: str, week: str, late: Late | None) -> None:
        """Record how late a week is, in place of what was recorded before; None: in time, or not known."""
        with self._transaction() as database:
            database.execute("DELETE FROM late WHERE student = ? AND week = ?", _texts(student, week))
            if late:
                values = (*_texts(student, week), late.days, late.percent)
                database.execute("INSERT INTO late VALUES (?, ?, ?, ?)", values)

    def late_of(self, student: str, week: str) -> Late | None:
        """Return how late a student's week is, as recorded last."""
        key = _texts(student, week)
        return self._late(*key).get(key)

    def _overrides(self, *key: str) -> Overrides:
        """Return the overrides that hold, for everybody or for one student's week."""
        query = f"SELECT student, week, task, points, why, who, at FROM overrides {_ONE if key else ''} ORDER BY id"
        latest = {row[:3]: Override(*row) for row in self._rows(query, *key)}
        found: Overrides = {}
        for override in latest.values():
            if override.points is not None:
                found.setdefault((override.student, override.week), []).append(override)
        return found

    def _late(self, *key: str) -> dict[tuple[str, ...], Late]:
        rows = self._rows(f"SELECT student, week, days, percent FROM late {_ONE if key else ''}", *key)
        return {(student, week): Late(days, percent) for student, week, days, percent in rows}

    def history(self, student: str, week: str) -> list[Report]:
        """Return every attempt at one week, the oldest first; the last one is the current one."""
        rows = self._rows(
            "SELECT id, report FROM attempts WHERE student = ? AND week = ? ORDER BY id",
            *_texts(student, week),
        )
        return [self._report(*row) for row in rows]

    def problems(self) -> list[Problem]:
        """Return what could not be graded, sorted by student, then week."""
        found = [Problem(*row) for row in self._rows("SELECT student, week, message FROM problems")]
        return sorted(found, key=lambda problem: (problem.student, week_order(problem.week or "")))

    def _open(self) -> None:
        with self._errors():
            make_folder(self.path.parent)
            make_private(self.path.resolve())  # SQLite gives its journal the same mode
            self._database = sqlite3.connect(self.path, timeout=0, isolation_level=None)
            try:
                self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._database.execute("BEGIN EXCLUSIVE")
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def _prepare(self) -> None:
        # executescript() would commit first, and so let others see the half-made file.
        application, version = self._pragma("application_id"), self._pragma("user_version")
        if self._is_empty() and application == version == 0:
            self._execute(schema.FIRST)
            version = 1
        elif application != schema.APPLICATION_ID:
            raise GraderError(f"{self.path}: not a gradebook, though a database; choose another --out folder")
        elif version > schema.VERSION:
            raise GraderError(f"{self.path}: written by a newer version of the grader; update this one")
        for migration in schema.MIGRATIONS[version - 1 :]:
            self._execute(migration)
        self._database.execute("COMMIT")

    def _execute(self, script: str) -> None:
        for statement in script.strip().split(";\n"):
            self._database.execute(statement)

    def _pragma(self, name: str) -> int:
        value: int = self._database.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def _is_empty(self) -> bool:
        return bool(self._database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,))

    def _rows(self, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        with self._errors():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                self._database.rollback()
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise GraderError(f"{self.path}: {_explained(error)}") from error
        except OSError as error:
            raise GraderError(f"{self.path}: cannot be opened ({error.strerror})") from error

    def _report(self, attempt: int, text: str, check: Callable[..., CheckResult] = CheckResult.from_dict) -> Report:
        try:
            return Report.from_dict(json.loads(text), check)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GraderError(
                f"{self.path}: attempt {attempt} is damaged; move the file away and grade again"
            ) from error


def _same_work(key: ResultKey) -> tuple[str, ...]:
    return _texts(key.student, key.week, key.submission, key.grader, key.seed)


def _adjusted(report: Report, overrides: Overrides, late: dict[tuple[str, ...], Late]) -> Report:
    key = _texts(report.student, report.week)
    return adjust(report, overrides.get(key, ()), late.get(key))


def _texts(*values: object) -> tuple[str, ...]:
    """Return values as SQLite can store them: a lone surrogate, as in badly encoded file names, becomes `\\udc80`.

    In a JSON text that is an escape for the same character, so a report comes back exactly.
    """
    return tuple(str(value).encode("utf-8", "backslashreplace").decode() for value in values)


def _explained(error: sqlite3.DatabaseError) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    known = {
        sqlite3.SQLITE_BUSY: "in use by another run of the grader; wait until that one has ended",
        sqlite3.SQLITE_LOCKED: "in use by another run of the grader; wait until that one has ended",
        sqlite3.SQLITE_NOTADB: "not a gradebook; choose another --out folder, or move the file away",
        sqlite3.SQLITE_CORRUPT: "damaged; move it away and grade again, or restore a copy of it",
        sqlite3.SQLITE_READONLY: "cannot be written; check who owns it and its permissions",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that it is a file and its folder's permissions",
        sqlite3.SQLITE_FULL: "the disk is full; make room and run again, what was graded is kept",
    }
    return known.get(code, f"cannot be used ({error})")


def open_book(folder: Path) -> Gradebook:
    """Open the gradebook that `batch` left in a folder; `UsageError` where there is none."""
    file = folder / "gradebook.sqlite" if folder.is_dir() else folder
    if not file.is_file():
        raise UsageError(f"{folder}: there is no gradebook.sqlite; give the folder that `batch --out` wrote")
    return Gradebook(file)
