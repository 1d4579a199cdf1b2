"""Keeps in the gradebook how each week was handed in, the modules of works, and what of it people grade."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from grader.errors import GraderError
from grader.gradebook.database import now, texts
from grader.gradebook.people import PeopleTable
from grader.results import Delivery

_DIGEST = 64  # characters of the digest of answers
MOST_SOURCE = 2_000_000  # bytes of one work's modules; what is more is not kept

_DELIVERIES = "SELECT name, week, layout, entries, shown FROM deliveries JOIN people ON people.id = person"


@dataclass(frozen=True)
class Route:
    """The way by which a week came, and by which feedback can go back: the layout, and the entries' names there."""

    layout: str
    entries: tuple[str, ...]
    shown: Delivery


class Deliveries(PeopleTable):
    """How work came."""

    def record_deliveries(self, routes: Mapping[tuple[str, str], Route]) -> None:
        """Record how weeks were handed in, by student and week, in place of what was recorded before."""
        with self.transaction() as database:
            for (student, week), route in routes.items():
                name, *values = texts(
                    student, week, route.layout, json.dumps(route.entries), json.dumps(route.shown.to_dict())
                )
                person = self.key_of(database, name)
                database.execute("INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?)", (person, *values))

    def deliveries(self, *key: str) -> dict[tuple[str, ...], Route]:
        """Return how weeks were handed in, by student and week; with a student and a week as the key, that one."""
        rows = self.rows(f"{_DELIVERIES} {'WHERE name = ? AND week = ?' if key else ''}", *texts(*key))
        return {
            (student, week): Route(layout, tuple(json.loads(entries)), Delivery.from_dict(json.loads(shown)))
            for student, week, layout, entries, shown in rows
        }

    def version_of(self, student: str, week: str, submission: str) -> int:
        """Count the different works of a student's week that were graded, with this one."""
        query = """
            SELECT count(DISTINCT submission) FROM attempts JOIN people ON people.id = person
            WHERE name = ? AND week = ? AND submission != ?
        """
        return int(self.rows(query, *texts(student, week, submission))[0][0]) + 1

    def record_sources(self, submission: str, files: Mapping[str, bytes]) -> None:
        """Keep the modules of a work, by its digest, as far as they are not too large."""
        modules = {path: raw for path, raw in files.items() if path.endswith(".py")}
        if sum(map(len, modules.values())) > MOST_SOURCE:
            return
        data = json.dumps({path: base64.b64encode(raw).decode() for path, raw in modules.items()})
        with self.transaction() as database:
            database.execute(
                "INSERT OR REPLACE INTO sources VALUES (?, ?)", (*texts(submission), zlib.compress(data.encode()))
            )

    def kept_sources(self) -> set[str]:
        """Return the digests of the works whose modules are kept."""
        return {digest for (digest,) in self.rows("SELECT submission FROM sources")}

    def sources(self, submission: str) -> dict[str, str]:
        """Return the modules of a work as text, by their paths; empty where they are not kept."""
        return {path: raw.decode("utf-8", "replace") for path, raw in self.raw_sources(submission).items()}

    def raw_sources(self, submission: str) -> dict[str, bytes]:
        """Return the modules of a work as they were handed in; empty where they are not kept."""
        rows = self.rows("SELECT files FROM sources WHERE submission = ?", *texts(submission))
        try:
            kept = json.loads(zlib.decompress(rows[0][0])) if rows else {}
            return {path: base64.b64decode(text) for path, text in kept.items()}
        except (zlib.error, ValueError, TypeError) as error:
            raise GraderError(f"{self.path}: the modules of {submission} are damaged; grade again") from error

    def record_answers(self, student: str, week: str, digest: str, cells: bytes) -> None:
        """Keep what of a student's week people grade, packed, in place of what was kept; nothing where there is none.

        Whoever was done with the week has not seen what is new, and so is not. Where the first half of the digest is as
        it was, the same was handed in, and only the course finds it otherwise.
        """
        with self.transaction() as database:
            name, where, new = texts(student, week, digest)
            person = self.key_of(database, name)
            query = "SELECT digest FROM answered WHERE person = ? AND week = ?"
            (old,) = database.execute(query, (person, where)).fetchone() or ("",)
            if new and (old == new or (len(old) == _DIGEST and old[: _DIGEST // 2] == new[: _DIGEST // 2])):
                database.execute("UPDATE answered SET digest = ? WHERE person = ? AND week = ?", (new, person, where))
            else:
                database.execute("DELETE FROM answered WHERE person = ? AND week = ?", (person, where))
                database.execute("DELETE FROM looked WHERE person = ? AND week = ?", (person, where))
                if new:
                    database.execute("INSERT INTO answered VALUES (?, ?, ?, ?)", (person, where, new, now()))
            if new:
                database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (new, cells))

    def answered(self) -> dict[tuple[str, str], str]:
        """Return the digests of the answers that are kept, by student and week."""
        query = """
            SELECT name, week, digest FROM answered JOIN people ON people.id = person
            WHERE digest IN (SELECT digest FROM answers)
        """
        return {(student, week): digest for student, week, digest in self.rows(query)}

    def answers(self, digest: str) -> bytes:
        """Return packed answers by their digest; nothing where they are not kept."""
        rows = self.rows("SELECT cells FROM answers WHERE digest = ?", *texts(digest))
        return bytes(rows[0][0]) if rows else b""

    def drop_old_sources(self) -> None:
        """Drop the modules of works that were never graded; those of earlier attempts show what changed since.

        Of answers, those alone are kept that somebody's work holds.
        """
        with self.transaction() as database:
            database.execute("DELETE FROM answers WHERE digest NOT IN (SELECT digest FROM answered)")
            database.execute("DELETE FROM sources WHERE submission NOT IN (SELECT submission FROM attempts)")
