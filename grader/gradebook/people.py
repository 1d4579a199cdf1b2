"""Keeps people in the gradebook, with all by which they are known, and which weeks the class folder has of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from grader.errors import UsageError
from grader.gradebook.database import Database, texts
from grader.gradebook.merging import GRANTED, TABLES, move, split
from grader.people.naming import safe_name
from grader.people.person import Person

_COLUMNS = "id, name, called, named_by, folder, section, team, listed"

_SAVE = f"""
INSERT INTO people ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, called = excluded.called, named_by = excluded.named_by,
    section = excluded.section, team = excluded.team, listed = excluded.listed
"""


class PeopleTable(Database):
    """The people of the class. All methods of the gradebook that take a student's name take the one shown now."""

    def people(self) -> list[Person]:
        """Return everybody, by name."""
        found = {}
        for key, name, called, named_by, folder, section, team, listed in self.rows(
            f"SELECT {_COLUMNS} FROM people ORDER BY name"
        ):
            found[key] = Person(name, called, key, named_by, folder, section, team, bool(listed))
        for key, kind, value in self.rows("SELECT person, kind, value FROM marks ORDER BY id"):
            found[key].marks.append((kind, value))
        for key, week, gone in self.rows("SELECT person, week, gone FROM entries"):
            if gone:
                found[key].gone |= {week}
            else:
                found[key].handed |= {week}
        return list(found.values())

    def folder_of(self, student: str) -> str:
        """Name the folder of a student's reports, which stays when the name changes."""
        found = self.rows("SELECT folder FROM people WHERE name = ?", *texts(student))
        return str(found[0][0]) if found else safe_name(student)

    def save_people(self, people: Iterable[Person], merged: Sequence[tuple[Person, Person]] = ()) -> None:
        """Record people as they are now, and move what belongs to those of `merged` to who absorbed them.

        New people get their keys.
        """
        people = list(people)
        with self.transaction() as database:
            for person, into in merged:
                move(database, person.key, into.key)
            # Names may change places, so nobody keeps an old one on the way.
            database.executemany("UPDATE people SET name = '/' || id WHERE id = ?", [(p.key,) for p in people if p.key])
            for person in people:
                _save(database, person)

    def record_entries(self, folder: str, entries: Iterable[tuple[str, str]]) -> None:
        """Record that a class folder holds these students' weeks; a week that is not known is empty."""
        with self.transaction() as database:
            rows = [(self.key_of(database, *texts(student)), *texts(week, folder)) for student, week in entries]
            database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, 0)", rows)

    def results_by_folder(self) -> dict[str, dict[str, set[int]]]:
        """Return the keys of those who have a result or a problem, by week, then by the class folder of its entry.

        The folder is empty where no run has noted it. Left out is what is gone already.
        """
        found: dict[str, dict[str, set[int]]] = {}
        query = """
            SELECT DISTINCT one.person, one.week, coalesce(folder, ''), coalesce(gone, 0) FROM (
                SELECT person, week FROM attempts UNION SELECT person, coalesce(week, '') FROM problems
            ) AS one LEFT JOIN entries ON entries.person = one.person AND entries.week = one.week
        """
        for person, week, folder, gone in self.rows(query):
            if not gone:
                found.setdefault(week, {}).setdefault(folder, set()).add(person)
        return found

    def mark_gone(self, weeks: Mapping[int, Iterable[str]]) -> None:
        """Record that the class folder no longer holds these weeks, by the person's key."""
        with self.transaction() as database:
            rows = [(person, week) for person, theirs in weeks.items() for week in theirs]
            database.executemany("INSERT OR IGNORE INTO entries VALUES (?, ?, '', 1)", rows)
            database.executemany("UPDATE entries SET gone = 1 WHERE person = ? AND week = ?", rows)

    def forget(self, person: Person) -> None:
        """Delete a person with every attempt, override, problem and mark."""
        with self.transaction() as database:
            for table in TABLES:
                database.execute(f"DELETE FROM {table} WHERE person = ?", (person.key,))
            database.execute("DELETE FROM sources WHERE submission NOT IN (SELECT submission FROM attempts)")
            database.execute("DELETE FROM answers WHERE digest NOT IN (SELECT digest FROM answered)")
            database.execute("DELETE FROM merges WHERE into_person = ?", (person.key,))
            database.execute("UPDATE actions SET undo = '[]' WHERE person = 0")  # may quote them, among others
            database.execute("DELETE FROM people WHERE id = ?", (person.key,))

    def split(self, person: Person) -> int:
        """Undo the last merge into a person; return the key of who is apart again, 0 where nobody was merged.

        What was graded and decided since stays with the person. Names have to be given anew.
        """
        with self.transaction() as database:
            return split(database, person.key)

    def record_granted(self, granted: Mapping[tuple[int, str], tuple[str, str]]) -> None:
        """Record extensions and times of submission by the person's key and week, in place of all before."""
        with self.transaction() as database:
            database.execute(f"DELETE FROM {GRANTED}")
            rows = [(person, *texts(week, *values)) for (person, week), values in granted.items()]
            database.executemany(f"INSERT INTO {GRANTED} VALUES (?, ?, ?, ?)", rows)

    def granted(self) -> dict[tuple[int, str], tuple[str, str]]:
        """Return the extensions and times of submission that hold, by the person's key and week."""
        query = f"SELECT person, week, extension, submitted FROM {GRANTED}"
        return {(person, week): (extension, at) for person, week, extension, at in self.rows(query)}

    def roster(self) -> dict[str, str]:
        """Return who is in the class, with their sections; empty where no run had a roster."""
        return dict(self.rows("SELECT name, section FROM people WHERE listed ORDER BY name"))

    def key_of(self, database: sqlite3.Connection, student: str) -> int:
        """Return the key of who is shown by that name, who is made if need be; for use in a transaction."""
        row = database.execute("SELECT id FROM people WHERE name = ?", (student,)).fetchone()
        if row:
            return int(row[0])
        person = Person(student, marks=[("name", student), ("entry", student)], folder=safe_name(student))
        _save(database, person)
        return person.key


def _save(database: sqlite3.Connection, person: Person) -> None:
    name, called, named_by, folder, section, team = texts(
        person.name, person.called, person.named_by, person.folder, person.section, person.group
    )
    values = (person.key or None, name, called, named_by, folder, section, team, person.listed)
    try:
        row = database.execute(_SAVE, values)
    except sqlite3.IntegrityError as error:
        raise UsageError(f"two people cannot both be called {name!r}") from error
    person.key = person.key or int(row.lastrowid or 0)
    database.execute("DELETE FROM marks WHERE person = ?", (person.key,))
    database.executemany(
        "INSERT INTO marks (person, kind, value) VALUES (?, ?, ?)",
        [(person.key, *texts(*mark)) for mark in dict.fromkeys(person.marks)],
    )
