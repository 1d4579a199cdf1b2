"""Copies a gradebook before its file is brought up to date, and once a day before it is changed.

Copies lie in `backups` beside the file, each a whole gradebook under a name with its date; old ones are removed.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

from grader.files import make_folder, make_private

FOLDER = "backups"
MOST_DAYS, MOST_VERSIONS = 5, 3  # of each kind that are kept


def copy_of_today(database: sqlite3.Connection, file: Path) -> None:
    """Copy an open gradebook, unless there is a copy of today."""
    copy = file.parent / FOLDER / f"{file.stem}-{date.today().isoformat()}{file.suffix}"
    if not copy.exists():
        _copy(database, copy)
        _keep(copy, re.compile(rf"{re.escape(file.stem)}-\d{{4}}-\d\d-\d\d"), MOST_DAYS)


def copy_before(database: sqlite3.Connection, file: Path, version: int) -> None:
    """Copy an open gradebook of an older version of the schema; a copy of that version is kept as it is."""
    copy = file.parent / FOLDER / f"{file.stem}-schema{version}-{date.today().isoformat()}{file.suffix}"
    if not copy.exists():
        _copy(database, copy)
        _keep(copy, re.compile(rf"{re.escape(file.stem)}-schema\d+-\d{{4}}-\d\d-\d\d"), MOST_VERSIONS)


def _copy(database: sqlite3.Connection, copy: Path) -> None:
    # Through SQLite, since closing the file in any other way would let go of its lock.
    make_folder(copy.parent)
    half = copy.with_name(f".{copy.name}.tmp")
    half.unlink(missing_ok=True)
    make_private(half)
    try:
        with closing(sqlite3.connect(half, isolation_level=None)) as target:
            database.backup(target)
        half.replace(copy)
    finally:
        half.unlink(missing_ok=True)


def _keep(newest: Path, pattern: re.Pattern[str], most: int) -> None:
    """Remove the oldest copies of a kind, by their dates."""
    found = [path for path in newest.parent.glob(f"*{newest.suffix}") if pattern.fullmatch(path.stem)]
    for path in sorted(found, key=lambda path: path.stem[-10:])[:-most]:
        path.unlink(missing_ok=True)
