"""Opens the gradebook's file, brings it up to date, and words what SQLite says.

The file carries an `application_id` of its own, and its schema's number in `user_version`. A run has the gradebook
alone: a claim (`together.claim`) keeps a second run out. It uses a rollback journal, not a write-ahead log: all that
was committed is in the one file, even after a kill, and no file stays beside it once it is closed. The desk shares it
with others of its kind and with a run. As long as one has it open, there is a write-ahead log, so that nobody who reads
waits for somebody who writes. `copies` says when the file is copied.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader.errors import GraderError
from grader.files import make_folder, make_private
from grader.gradebook import schema
from grader.gradebook.copies import copy_before, copy_of_today
from grader.gradebook.together.claim import Claim, Taken
from grader.people.naming import safe_name

PATIENCE = 20.0  # seconds for which a change waits for another one to be written
_IN_USE = "in use by another run of the grader; wait until that one has ended"
_CURRENT = (schema.APPLICATION_ID, schema.VERSION)


class Database:
    """The open file, created where there is none; a context manager.

    Every method raises `GraderError` when the file is damaged, foreign, newer, or in use by another run. With
    `shared`, others may have it open as well.
    """

    def __init__(self, path: Path, copies: bool = True, shared: bool = False) -> None:
        self.path = path
        self._copies = copies
        self._shared = shared
        self._claim: Claim | None = None
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, so that others can open it; what was recorded is in it already."""
        with suppress(sqlite3.Error):
            self._use_journal("DELETE")
        self._database.close()
        self._let_go()

    def rows(self, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self.errors():
            return self._database.execute(query, values).fetchall()

    def execute(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query one by one, inside `errors()`, since there may be too many to hold."""
        return self._database.execute(query)

    @property
    def changes(self) -> int:
        """A number that is another one as soon as somebody else has changed the file."""
        with self.errors():
            return self._pragma("data_version")

    def keep_copy(self) -> None:
        """Copy the file now, if it was not copied today, so that the next change does not wait for that."""
        with self.errors():
            self._copy_of_today()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Make all that is done inside one step, which happens as a whole or not at all."""
        with self.errors():
            self._copy_of_today()
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                self._database.rollback()
                raise

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what SQLite raises into errors of ours."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise GraderError(f"{self.path}: {_explained(error)}") from error
        except Taken as error:
            raise GraderError(f"{self.path}: {_IN_USE}") from error
        except OSError as error:
            raise GraderError(f"{self.path}: cannot be opened ({error.strerror})") from error

    def _open(self) -> None:
        with self.errors():
            make_folder(self.path.parent)
            make_private(self.path.resolve())  # SQLite gives its journal the same mode
            if not self._shared:
                self._take()
            try:
                self._connect()
            except BaseException:
                self._let_go()
                raise

    def _connect(self) -> None:
        self._database = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        self._database.create_function("safe_name", 1, safe_name, deterministic=True)  # for a migration
        try:
            if self._claim and not self._claim.held:  # no claims here, so that SQLite's own lock has to do
                self._database.execute("PRAGMA busy_timeout = 0")
                self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._bring_up_to_date()
            self._use_journal("WAL" if self._shared else "DELETE")
        except BaseException:
            self._database.close()
            raise

    def _bring_up_to_date(self) -> None:
        if self._shared and self._is_current_or_taken():
            return  # a run may have it, and need not be waited for
        try:
            self._database.execute("BEGIN EXCLUSIVE")
            self._prepare()
        finally:
            if self._shared:
                self._let_go()

    def _is_current_or_taken(self) -> bool:
        """Tell whether the schema is that of today; else take the file. A run that just begins soon brings it there."""
        until = time.monotonic() + PATIENCE
        while (self._pragma("application_id"), self._pragma("user_version")) != _CURRENT:
            try:
                self._take()
            except Taken:
                if time.monotonic() >= until:
                    raise
            else:
                return False
        return True

    def _take(self) -> None:
        self._claim = Claim(self.path.parent)

    def _let_go(self) -> None:
        if self._claim is not None:
            self._claim.let_go()
            self._claim = None

    def _use_journal(self, mode: str) -> None:
        """Change how changes are journalled, where nobody else has the file open: else it stays as it is."""
        if self._database.execute("PRAGMA journal_mode").fetchone()[0].upper() == mode:
            return
        (patience,) = self._database.execute("PRAGMA busy_timeout").fetchone()
        self._database.execute("PRAGMA busy_timeout = 0")
        with suppress(sqlite3.OperationalError):
            self._database.execute(f"PRAGMA journal_mode = {mode}")
        self._database.execute(f"PRAGMA busy_timeout = {patience}")

    def _prepare(self) -> None:
        # executescript() would commit first, and so let others see the half-made file.
        application, version = self._pragma("application_id"), self._pragma("user_version")
        is_new = self._is_empty() and application == version == 0
        if is_new:
            self._execute(schema.FIRST)
            version = 1
        elif application != schema.APPLICATION_ID:
            raise GraderError(f"{self.path}: not a gradebook, though a database; choose another --out folder")
        elif version > schema.VERSION:
            raise GraderError(f"{self.path}: written by a newer version of the grader; update this one")
        if is_new or not self._copies:
            self._copies = False  # there is nothing that could be lost
        elif version < schema.VERSION:
            self._database.execute("COMMIT")  # SQLite copies nothing within a transaction; the lock stays
            copy_before(self._database, self.path, version)
            self._database.execute("BEGIN EXCLUSIVE")
        for migration in schema.MIGRATIONS[version - 1 :]:
            self._execute(migration)
        self._database.execute("COMMIT")

    def _copy_of_today(self) -> None:
        """Copy the file as it is before this run's first change, once a day."""
        if self._copies:
            self._copies = False
            copy_of_today(self._database, self.path)

    def _execute(self, script: str) -> None:
        for statement in script.strip().split(";\n"):
            self._database.execute(statement)

    def _pragma(self, name: str) -> int:
        value: int = self._database.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def _is_empty(self) -> bool:
        return bool(self._database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,))


def texts(*values: object) -> tuple[str, ...]:
    """Return values as SQLite can store them: a lone surrogate, as in badly encoded file names, becomes `\\udc80`.

    In a JSON text that is an escape for the same character, so a report comes back exactly.
    """
    return tuple(str(value).encode("utf-8", "backslashreplace").decode() for value in values)


def now() -> str:
    """Return the time in UTC, as decisions have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _explained(error: sqlite3.DatabaseError) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    known = {
        sqlite3.SQLITE_BUSY: _IN_USE,
        sqlite3.SQLITE_LOCKED: _IN_USE,
        sqlite3.SQLITE_NOTADB: "not a gradebook; choose another --out folder, or move the file away",
        sqlite3.SQLITE_CORRUPT: "damaged; move it away and grade again, or restore a copy of it",
        sqlite3.SQLITE_READONLY: "cannot be written; check who owns it and its permissions",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that it is a file and its folder's permissions",
        sqlite3.SQLITE_FULL: "the disk is full; make room and run again, what was graded is kept",
    }
    return known.get(code, f"cannot be used ({error})")
