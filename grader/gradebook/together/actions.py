"""Changes a gradebook as one step that is logged, and that can be undone as long as nobody has gone on from there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from grader.errors import GraderError, UsageError
from grader.escape import plain
from grader.gradebook.adjustments import Adjustments, given_back, insert_decision
from grader.gradebook.database import now, texts
from grader.results import Override

Row = dict[str, Any]
# The tables that are changed row by row, each with what tells its rows apart.
KEYS = {
    "comments": ("id",),
    "requests": ("id",),
    "assigned": ("person", "week"),
    "looked": ("person", "week"),
    "phrases": ("week", "task", "text"),
}
_EDITED = ("comments", "requests")  # with an edition, which tells what somebody has seen of a row
_COUNTED = (("comments", "edition"), ("requests", "edition"), ("actions", "id"))  # what an edition is greater than
_SHOWN = ("comments",)  # in the student's report
_SLOT = "person = ? AND week = ? AND task = ? AND (kind = 'comment') = ?"
DECISION = "overrides"
_DECIDED = "task, points, why, who, at, kind, items, most, gives"


class Outdated(GraderError):
    """Somebody else has changed in the meantime what is to be changed; nothing was."""


@dataclass(frozen=True)
class Action:
    """What somebody did; `person` is 0 where it is about several, and `undone` the time when it was taken back."""

    id: int
    person: int
    week: str
    who: str
    at: str
    what: str
    undone: str
    can_undo: bool


class Changing:
    """A change that is being made, in one transaction."""

    def __init__(self, database: sqlite3.Connection, who: str) -> None:
        self._database = database
        self.who = who
        self.at = now()
        self.touched: set[tuple[int, str]] = set()
        self._steps: list[Row] = []
        self._noted: list[tuple[int, str, str]] = []
        self._always = False
        self._edition_here = 0
        self.number = 0  # of the action in the log, once it is finished and where it can be undone

    def held(self, person: int, week: str, task: str, comment: bool = False) -> int:
        """Return the number of the decision about a task that was made last, 0 where there is none."""
        query = f"SELECT max(id) FROM overrides WHERE {_SLOT}"
        return int(self._database.execute(query, (person, week, task, comment)).fetchone()[0] or 0)

    def attempt(self, person: int, week: str) -> int:
        """Return the number of the latest attempt, 0 where there is none."""
        query = "SELECT max(id) FROM attempts WHERE person = ? AND week = ?"
        return int(self._database.execute(query, (person, week)).fetchone()[0] or 0)

    def work(self, person: int, week: str) -> str:
        """Return what tells a student's work from an earlier one: its attempt, and its answers."""
        query = "SELECT digest FROM answered WHERE person = ? AND week = ?"
        found = self._database.execute(query, (person, week)).fetchone()
        return work_mark(self.attempt(person, week), found[0] if found else "")

    def given_back(self, person: int, week: str, task: str) -> set[str]:
        """Return the checks whose points are given back by what is decided about a task."""
        return given_back(self._database, person, week, task)

    def decide(self, person: int, decision: Override, gives: Collection[str] = ()) -> None:
        """Record a decision, which holds from now on; `gives` are checks whose points it gives back."""
        slot = (person, decision.week, decision.task, decision.slot[1])
        before = self.held(*slot)
        after = insert_decision(self._database, person, decision, gives)
        self._touch(person, decision.week, shown=True)
        self._steps.append({"table": DECISION, "slot": slot, "before": before, "after": after})

    def row(self, table: str, **key: Any) -> Row | None:
        """Return a row as it is now."""
        where = " AND ".join(f"{name} = ?" for name in KEYS[table])
        cursor = self._database.execute(f"SELECT * FROM {table} WHERE {where}", [key[name] for name in KEYS[table]])
        found = cursor.fetchone()
        return dict(zip((column[0] for column in cursor.description), found, strict=True)) if found else None

    def has(self, table: str, **values: Any) -> bool:
        """Tell whether a table has a row with these values."""
        where = " AND ".join(f"{name} = ?" for name in values)
        said = [texts(value)[0] if isinstance(value, str) else value for value in values.values()]
        return self._database.execute(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1", said).fetchone() is not None

    def put(self, table: str, row: Mapping[str, Any]) -> int:
        """Write a row, in place of the one with its key; return its number. One without `id` gets a new one."""
        values = {name: texts(value)[0] if isinstance(value, str) else value for name, value in row.items()}
        key = {name: values.get(name) for name in KEYS[table]}
        before = None if None in key.values() else self.row(table, **key)
        kept = (before or {}) | values
        if table in _EDITED:
            kept["edition"] = self._edition_here = self._edition_here or self._edition()
        columns, marks = ", ".join(kept), ", ".join("?" * len(kept))
        query = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})"
        cursor = self._database.execute(query, [*kept.values()])
        if "id" in KEYS[table]:
            key["id"] = before["id"] if before else cursor.lastrowid
        self._step(table, key, before)
        return int(key.get("id") or 0)

    def drop(self, table: str, **key: Any) -> None:
        """Delete a row, where it is there."""
        before = self.row(table, **key)
        if before is not None:
            where = " AND ".join(f"{name} = ?" for name in key)
            self._database.execute(f"DELETE FROM {table} WHERE {where}", [*key.values()])
            self._step(table, key, before)

    def use_phrase(self, week: str, task: str, text: str) -> None:
        """Keep a text for reuse, unless it holds what cannot be seen; undoing its action undoes that use."""
        if plain(text) != text:
            return
        key = dict(zip(KEYS["phrases"], texts(week, task, text), strict=True))
        known = self.row("phrases", **key) or {"uses": 0}
        self.put("phrases", {**key, "uses": known["uses"] + 1})

    def note(self, what: str, person: int = 0, week: str = "", always: bool = False) -> None:
        """Log what was done; with `always` also where it changed nothing that is kept here."""
        self._always |= always
        self._noted.append((person, week, what))

    def finish(self) -> None:
        """Write the log; what changed nothing leaves no line."""
        if not self._steps and not self._always:
            return
        person, week, what = self._noted[-1] if self._noted else (0, "", "")  # the last sums up
        cursor = self._database.execute(
            "INSERT INTO actions (person, week, who, at, what, undo) VALUES (?, ?, ?, ?, ?, ?)",
            (person, *texts(week, self.who, self.at, what, json.dumps(self._steps))),
        )
        self.number = int(cursor.lastrowid or 0) if self._steps else 0

    def undo(self, number: int) -> str:
        """Take an action back; return what it was. `Outdated` where somebody has gone on from there."""
        row = self._database.execute("SELECT person, week, what, undo, undone FROM actions WHERE id = ?", (number,))
        person, week, what, steps, undone = row.fetchone() or (0, "", "", "[]", "")
        if undone or not what:
            raise UsageError("there is nothing to undo: it was taken back already, or never done")
        for step in reversed(json.loads(steps)):
            self._take_back(step)
        self._database.execute("UPDATE actions SET undone = ? WHERE id = ?", (self.at, number))
        self.note(f"took back: {what}", person, week)
        return str(what)

    def _take_back(self, step: Row) -> None:
        if step["table"] == DECISION:
            self._decide_as_before(step)
            return
        now_there = self.row(step["table"], **step["key"])
        if step["table"] == "phrases" and _uses(step["before"]) != _uses(
            step["after"]
        ):  # others may have used it since
            self._count_use(now_there, _uses(step["before"]) - _uses(step["after"]), step)
            return
        if _content(now_there) != _content(step["after"]):
            raise Outdated("it cannot be undone: somebody has changed the same since")
        if step["before"] is None:
            self.drop(step["table"], **step["key"])
        else:
            self.put(step["table"], step["before"])

    def _count_use(self, phrase: Row | None, uses: int, step: Row) -> None:
        """Count how often a text is used; one that nobody uses any more is not offered."""
        kept = phrase or {**(step["before"] or step["after"]), "uses": 0}
        if kept["uses"] + uses > 0:
            self.put("phrases", {**kept, "uses": kept["uses"] + uses})
        else:
            self.drop("phrases", **step["key"])

    def _decide_as_before(self, step: Row) -> None:
        person, week, task, _ = step["slot"]
        if self._decided(self.held(*step["slot"])) != self._decided(step["after"]):
            raise Outdated(f"it cannot be undone: somebody has decided about {task} since")
        values = self._decided(step["before"] or step["after"])
        if not step["before"]:
            values |= {"points": None, "why": "", "items": "[]", "gives": "[]", "who": self.who, "at": self.at}
        query = f"INSERT INTO overrides (person, week, {_DECIDED}) VALUES ({', '.join('?' * (2 + len(values)))})"
        after = self._database.execute(query, (person, week, *values.values())).lastrowid
        self._touch(person, week, shown=True)
        self._steps.append({"table": DECISION, "slot": step["slot"], "before": step["after"], "after": after})

    def _decided(self, number: int) -> Row:
        """Return what a decision says. One that was made again by an undo is another row, and says the same."""
        found = self._database.execute(f"SELECT {_DECIDED} FROM overrides WHERE id = ?", (number,)).fetchone()
        return dict(zip(_DECIDED.split(", "), found, strict=True)) if found else {}

    def _edition(self) -> int:
        """Return an edition that no row ever had, not even one that was removed and whose number was given anew."""
        tables = " UNION ALL ".join(f"SELECT max({name}) AS most FROM {table}" for table, name in _COUNTED)
        (most,) = self._database.execute(f"SELECT max(most) FROM ({tables})").fetchone()
        return int(most or 0) + 1

    def _step(self, table: str, key: Row, before: Row | None) -> None:
        after = self.row(table, **key)
        if after != before:
            self._steps.append({"table": table, "key": key, "before": before, "after": after})
        row = after or before or {}
        if "person" in row:
            self._touch(row["person"], row["week"], table in _SHOWN)

    def _touch(self, person: int, week: str, shown: bool) -> None:
        self.touched.add((person, week))
        if shown:
            self._database.execute("INSERT OR IGNORE INTO stale VALUES (?, ?)", (person, week))


def work_mark(attempt: int, answered: str) -> str:
    """Return what tells a work from an earlier one, from its attempt and the digest of its answers."""
    return f"{attempt}a{answered[:12]}" if answered else str(attempt)


def _uses(phrase: Row | None) -> int:
    return int((phrase or {"uses": 0})["uses"])


def _content(row: Row | None) -> Row | None:
    """Return what a row says, whatever its edition."""
    return row and {name: value for name, value in row.items() if name != "edition"}


class Actions(Adjustments):
    """What people did at the desk."""

    @contextmanager
    def changing(self, who: str) -> Iterator[Changing]:
        """Make all that is done inside one step of the log, which happens as a whole or not at all."""
        with self.transaction() as database:
            change = Changing(database, who)
            yield change
            change.finish()

    def count_actions(self) -> int:
        """Return how many actions the log has."""
        return int(self.rows("SELECT count(*) FROM actions")[0][0])

    def actions(
        self, most: int = 200, person: int | None = None, who: str | None = None, first: int = 0
    ) -> list[Action]:
        """Return what was done, the latest first, from the place `first` on."""
        where = [f"{name} = ?" for name, value in (("person", person), ("who", who)) if value is not None]
        values = [value for value in (person, who) if value is not None]
        query = "SELECT id, person, week, who, at, what, undone, undo != '[]' AND undone = '' FROM actions"
        query += f" WHERE {' AND '.join(where)}" if where else ""
        return [Action(*row) for row in self.rows(f"{query} ORDER BY id DESC LIMIT ? OFFSET ?", *values, most, first)]
