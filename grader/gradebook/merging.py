"""Makes one person of two in the gradebook's file, and undoes that: what each had before is kept with the merge."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

# What belongs to a person, and of which a person may have several for one week.
_KEYED = ("attempts", "overrides", "comments", "requests", "actions")
_THEIRS = (*_KEYED, "problems")
_ONE_A_WEEK = ("late", "entries", "deliveries", "zeros", "stale", "assigned", "looked", "answered")
GRANTED = "granted"  # by the roster, not by an entry: no attempt decides which of two rows holds
TABLES = (*_THEIRS, *_ONE_A_WEEK, GRANTED, "marks")  # of a person, beside `people`

Saved = dict[str, list[list[Any]]]  # the rows of a person, by table; of those that have keys, the keys


def move(database: sqlite3.Connection, person: int, into: int) -> None:
    """Move all that a person has to another one. Of a week that both have, what the class folder holds is current."""
    rows, others = _rows(database, person), _rows(database, into)
    for week in _weeks_of(database, person) & _weeks_of(database, into):
        theirs = _holds(database, person, week) > _holds(database, into, week)
        newer, older = (person, into) if theirs else (into, person)
        if _holds(database, person, week) != _holds(database, into, week):
            _put_last(database, newer, older, week)
        for table in _ONE_A_WEEK:
            database.execute(f"DELETE FROM {table} WHERE person = ? AND week = ?", (older, week))
    rows |= {table: _keys(database, table, person) for table in _KEYED}  # those of attempts may have changed
    rows["merges"] = [list(row) for row in database.execute("SELECT id FROM merges WHERE into_person = ?", (person,))]
    for table in (*_THEIRS, *_ONE_A_WEEK):
        database.execute(f"UPDATE {table} SET person = ? WHERE person = ?", (into, person))
    database.execute(f"UPDATE OR IGNORE {GRANTED} SET person = ? WHERE person = ?", (into, person))
    for table in (GRANTED, "marks"):
        database.execute(f"DELETE FROM {table} WHERE person = ?", (person,))
    database.execute("DELETE FROM people WHERE id = ?", (person,))
    database.execute("UPDATE merges SET into_person = ? WHERE into_person = ?", (into, person))
    if rows["people"] and others["people"]:
        saved = json.dumps({"person": rows, "into": others})
        database.execute("INSERT INTO merges (person, into_person, saved) VALUES (?, ?, ?)", (person, into, saved))


def split(database: sqlite3.Connection, into: int) -> int:
    """Undo the last merge into a person; return the key of who is apart again, 0 where nobody was merged."""
    query = "SELECT id, person, saved FROM merges WHERE into_person = ? ORDER BY id DESC LIMIT 1"
    row = database.execute(query, (into,)).fetchone()
    if row is None:
        return 0
    number, person, saved = int(row[0]), int(row[1]), json.loads(row[2])
    none: Saved = {table: [] for table in (*TABLES, "merges")}  # earlier versions did not know all tables
    theirs, own = none | saved["person"], none | saved["into"]
    _restore_people(database, person, into, theirs, own)
    for table in (*_KEYED, "merges"):
        column = "into_person" if table == "merges" else "person"
        database.executemany(
            f"UPDATE {table} SET {column} = ? WHERE id = ?", [(person, key) for (key,) in theirs[table]]
        )
    _restore_weeks(database, person, into, theirs, own)
    database.execute("DELETE FROM merges WHERE id = ?", (number,))
    return person


def _restore_people(database: sqlite3.Connection, person: int, into: int, theirs: Saved, own: Saved) -> None:
    """Make the person anew, and give both the names and marks that they had; what was learnt since stays."""
    ((_, _, called, named_by, folder, section, team, listed),) = theirs["people"]
    # No two may have one name or one folder; who reads this gives names anew.
    taken = database.execute("SELECT 1 FROM people WHERE lower(folder) = lower(?)", (folder,)).fetchone()
    values = (person, f"/{person}", called, named_by, f"{folder}-{person}" if taken else folder, section, team, listed)
    database.execute("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    ((_, _, called, named_by, _, section, team, listed),) = own["people"]
    database.execute(
        "UPDATE people SET called = ?, named_by = ?, section = ?, team = ?, listed = ? "
        "WHERE id = ? AND (named_by != 'hand' OR ? = 'hand')",
        (called, named_by, section, team, listed, into, named_by),
    )
    before = {(kind, value) for _, _, kind, value in own["marks"]}
    for _, _, kind, value in theirs["marks"]:
        if (kind, value) not in before:
            database.execute("DELETE FROM marks WHERE person = ? AND kind = ? AND value = ?", (into, kind, value))
        database.execute("INSERT OR IGNORE INTO marks (person, kind, value) VALUES (?, ?, ?)", (person, kind, value))


def _restore_weeks(database: sqlite3.Connection, person: int, into: int, theirs: Saved, own: Saved) -> None:
    weeks = {row[1] for table in (*_ONE_A_WEEK, GRANTED, "problems") for row in theirs[table]}
    weeks |= {row[0] for row in database.execute("SELECT week FROM attempts WHERE person = ?", (person,))}
    for table in ("problems", *_ONE_A_WEEK, GRANTED):
        database.executemany(f"DELETE FROM {table} WHERE person = ? AND week IS ?", [(into, week) for week in weeks])
        kept = [row for row in own[table] if row[1] in weeks]
        _insert(database, table, (*theirs[table], *kept))


def _insert(database: sqlite3.Connection, table: str, rows: Iterable[list[Any]]) -> None:
    for row in rows:
        database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def _rows(database: sqlite3.Connection, person: int) -> Saved:
    rows = {table: _select(database, table, person) for table in TABLES if table not in _KEYED}
    return rows | {"people": [list(row) for row in database.execute("SELECT * FROM people WHERE id = ?", (person,))]}


def _select(database: sqlite3.Connection, table: str, person: int) -> list[list[Any]]:
    return [list(row) for row in database.execute(f"SELECT * FROM {table} WHERE person = ?", (person,))]


def _keys(database: sqlite3.Connection, table: str, person: int) -> list[list[Any]]:
    return [list(row) for row in database.execute(f"SELECT id FROM {table} WHERE person = ?", (person,))]


def _weeks_of(database: sqlite3.Connection, person: int) -> set[str]:
    found = set()
    for table in ("attempts", *_ONE_A_WEEK):
        found |= {week for (week,) in database.execute(f"SELECT week FROM {table} WHERE person = ?", (person,))}
    return found


def _holds(database: sqlite3.Connection, person: int, week: str) -> int:
    """Return 2 where the class folder holds a week of a person, 0 where it did once, 1 where nobody knows."""
    row = database.execute("SELECT gone FROM entries WHERE person = ? AND week = ?", (person, week)).fetchone()
    return 1 if row is None else 0 if row[0] else 2


def _put_last(database: sqlite3.Connection, newer: int, older: int, week: str) -> None:
    """Make one's attempts at a week later than another's."""
    (last,) = database.execute("SELECT max(id) FROM attempts").fetchone()
    (first,) = database.execute("SELECT min(id) FROM attempts WHERE person = ? AND week = ?", (newer, week)).fetchone()
    query = "SELECT max(id) FROM attempts WHERE person = ? AND week = ?"
    (before,) = database.execute(query, (older, week)).fetchone()
    if first is not None and before is not None and first < before:
        query = "SELECT id FROM attempts WHERE person = ? AND week = ?"
        moved = [key for (key,) in database.execute(query, (newer, week))]
        database.execute("UPDATE attempts SET id = id + ? WHERE person = ? AND week = ?", (last, newer, week))
        _renumber(database, {key: key + last for key in moved})


def _renumber(database: sqlite3.Connection, moved: Mapping[int, int]) -> None:
    """Have earlier merges know attempts under their new numbers."""
    for number, text in database.execute("SELECT id, saved FROM merges").fetchall():
        saved = json.loads(text)
        saved["person"]["attempts"] = [[moved.get(key, key)] for (key,) in saved["person"]["attempts"]]
        database.execute("UPDATE merges SET saved = ? WHERE id = ?", (json.dumps(saved), number))
