"""Opens the gradebook's file, brings it up to date, and words what SQLite says.

The file carries an `application_id` of its own, and its schema's number in `user_version`. It uses a
rollback journal, not a write-ahead log: all that was committed is in the one file, even after a kill, and no
file stays beside it once it is closed. An exclusive lock keeps a second run out while this one has the file open.
`copies` says when the file is copied.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader.errors import GraderError
from grader.files import make_folder, make_private
from grader.gradebook import schema
from grader.gradebook.copies import copy_before, copy_of_today
from grader.people.naming import safe_name


class Database:
    """The open file, created where there is none; a context manager.

    Every method raises `GraderError` when the file is damaged, foreign, newer, or in use by another run.
    """

    def __init__(self, path: Path, copies: bool = True) -> None:
        self.path = path
        self._copies = copies
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, so that others can open it; what was recorded is in it already."""
        self._database.close()

    def rows(self, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self.errors():
            return self._database.execute(query, values).fetchall()

    def execute(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query one by one, inside `errors()`, since there may be too many to hold."""
        return self._database.execute(query)

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
        except OSError as error:
            raise GraderError(f"{self.path}: cannot be opened ({error.strerror})") from error

    def _open(self) -> None:
        with self.errors():
            make_folder(self.path.parent)
            make_private(self.path.resolve())  # SQLite gives its journal the same mode
            self._database = sqlite3.connect(self.path, timeout=0, isolation_level=None)
            self._database.create_function("safe_name", 1, safe_name, deterministic=True)  # for a migration
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
