"""Keeps in the gradebook what is changed after the checks: what people decided, and what lateness costs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial

from grader.gradebook.database import texts
from grader.gradebook.together.comments import Comment, Comments
from grader.results import (
    CheckResult,
    Kind,
    Late,
    ManualPart,
    Override,
    Report,
    RubricItem,
    adjust,
    find_overtaken,
)

_OVERRIDES = """
SELECT name, week, task, points, why, who, at, kind, items, most FROM overrides JOIN people ON people.id = person
"""
_LATE = "SELECT name, week, days, percent FROM late JOIN people ON people.id = person"
_CHANGED = """
UPDATE attempts SET late_before = ? WHERE id = (SELECT max(id) FROM attempts WHERE person = ? AND week = ?)
"""
_ONE = "WHERE name = ? AND week = ?"
_DECIDE = """
INSERT INTO overrides (person, week, task, points, why, who, at, kind, items, most, gives)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_GIVEN = """
SELECT gives FROM overrides WHERE person = ? AND week = ? AND task = ? AND kind != 'comment' ORDER BY id DESC LIMIT 1
"""
_WORK_AT = """
SELECT report FROM attempts JOIN people ON people.id = person
WHERE name = ? AND week = ? AND at <= ? ORDER BY attempts.id DESC LIMIT 1
"""
_EVERYBODY_OF = """
SELECT person, week FROM attempts WHERE week = ? UNION SELECT person, week FROM overrides WHERE week = ?
"""

Overrides = dict[tuple[str, ...], list[Override]]  # by student and week


LANGUAGE, CONTACT = "language", "contact"  # settings: what the course says of all its reports
TEXTS = "texts"  # and how its weeks say their own texts in that language, as JSON, by week and text


class Adjustments(Comments):
    """What changes scores after the checks.

    Whatever is recorded here marks the reports that it changes, in the same step: see `stale`.
    """

    def setting(self, name: str) -> str:
        """Return a choice that holds from run to run; empty where none was made."""
        rows = self.rows("SELECT value FROM settings WHERE name = ?", *texts(name))
        return str(rows[0][0]) if rows else ""

    def set(self, name: str, value: str) -> None:
        """Record a choice that holds from run to run."""
        with self.transaction() as database:
            database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", texts(name, value))

    def adjusted(self, report: Report) -> Report:
        """Apply the decisions and the lateness of its student's week to a report as the checks gave it."""
        return self.adjuster(*texts(report.student, report.week))(report)

    def adjuster(self, *key: str) -> Callable[[Report], Report]:
        """Return `adjusted` for many reports; with a student and a week as the key, for those alone."""
        overrides, late, delivered = self.decisions(*key), self._late(*key), self.deliveries(*key)
        parts, commented = self.manual_parts(), self.comments(*key)
        language, contact = self.setting(LANGUAGE) or Report.language, self.setting(CONTACT)
        translations = json.loads(self.setting(TEXTS) or "{}")

        def adjusted(report: Report) -> Report:
            own = texts(report.student, report.week)
            shown = delivered[own].shown if own in delivered else None
            report = replace(report, delivery=shown, language=language, contact=contact)
            decided = overrides.get(own, [])
            report = adjust(report, decided, late.get(own), parts.get(own[1], ())).said_in(translations.get(own[1], {}))
            report = _with(report, commented.get(own, ()))
            return replace(report, overtaken=tuple(find_overtaken(report, decided, partial(self._work_at, *own))))

        return adjusted

    def adjusted_as(self, report: Report, late_before: str | None) -> Report:
        """Return `adjusted` with an attempt's earlier lateness, where it is known."""
        if late_before is None:
            return self.adjusted(report)
        days, percent = json.loads(late_before)
        own = texts(report.student, report.week)
        parts = self.manual_parts().get(own[1], ())
        late = Late(days, percent) if days else None
        return _with(adjust(report, self.decisions(*own).get(own, ()), late, parts), self.comments(*own).get(own, ()))

    def override(self, override: Override) -> None:
        """Record one decision, as `decide` does."""
        self.decide([override])

    def decide(self, decisions: Iterable[Override]) -> None:
        """Record what a person decided: all of it or nothing.

        Each holds until another one about the same is recorded, even if the week is graded again.
        """
        with self.transaction() as database:
            for one in decisions:
                person = self.key_of(database, *texts(one.student))
                insert_decision(database, person, one)
                database.execute("INSERT OR IGNORE INTO stale VALUES (?, ?)", (person, *texts(one.week)))

    def decisions(self, *key: str) -> Overrides:
        """Return the decisions that hold, for everybody or for one student's week."""
        latest = {(one.student, one.week, *one.slot): one for one in self.all_decisions(*key)}
        found: Overrides = {}
        for override in latest.values():
            if override.points is not None:
                found.setdefault((override.student, override.week), []).append(override)
        return found

    def all_decisions(self, *key: str) -> list[Override]:
        """Return every decision that was ever recorded, the oldest first, for everybody or for one student's week."""
        rows = self.rows(f"{_OVERRIDES} {_ONE if key else ''} ORDER BY overrides.id", *key)
        return [_override(*row) for row in rows]

    def count_decisions(self) -> int:
        """Return how many decisions were ever recorded."""
        return int(self.rows("SELECT count(*) FROM overrides")[0][0])

    def latest_decisions(self, first: int, most: int) -> list[Override]:
        """Return decisions of everybody, the latest first, from a place on."""
        rows = self.rows(f"{_OVERRIDES} ORDER BY at DESC, overrides.id DESC LIMIT ? OFFSET ?", most, first)
        return [_override(*row) for row in rows]

    def record_late(self, student: str, week: str, late: Late | None) -> None:
        """Record how late a week is, in place of what was recorded before; None: in time, or not known."""
        name, where = texts(student, week)
        with self.transaction() as database:
            person = self.key_of(database, name)
            before = self._late(name, where).get((name, where))
            if before != late:
                said = json.dumps([before.days, before.percent] if before else [0, 0])
                database.execute(_CHANGED, (said, person, where))
            database.execute("DELETE FROM late WHERE person = ? AND week = ?", (person, where))
            if late:
                database.execute("INSERT INTO late VALUES (?, ?, ?, ?)", (person, where, late.days, late.percent))

    def late_of(self, student: str, week: str) -> Late | None:
        """Return how late a student's week is, as recorded last."""
        key = texts(student, week)
        return self._late(*key).get(key)

    def record_weeks(self, parts: Mapping[str, Sequence[ManualPart]]) -> None:
        """Record the course's weeks, and which parts of them people grade."""
        known = self.manual_parts()
        with self.transaction() as database:
            for week, own in parts.items():
                if week in known and list(known[week]) == list(own):
                    continue
                text = json.dumps([asdict(part) for part in own])
                database.execute("INSERT OR REPLACE INTO weeks VALUES (?, ?)", texts(week, text))
                database.execute(f"INSERT OR IGNORE INTO stale {_EVERYBODY_OF}", texts(week, week))

    def manual_parts(self) -> dict[str, list[ManualPart]]:
        """Return for each week the parts that people grade, as the last run found them."""
        rows = self.rows("SELECT week, manual FROM weeks")
        return {week: [ManualPart.from_dict(part) for part in json.loads(text)] for week, text in rows}

    def record_zeros(self, zeros: Collection[tuple[str, str]]) -> None:
        """Record who has zero points for a week, as they handed in nothing, in place of what was recorded before."""
        wanted = {texts(student, week) for student, week in zeros}
        with self.transaction() as database:
            now = {(self.key_of(database, student), week) for student, week in wanted}
            before = {(person, week) for person, week in database.execute("SELECT person, week FROM zeros")}
            database.executemany("DELETE FROM zeros WHERE person = ? AND week = ?", sorted(before - now))
            database.executemany("INSERT INTO zeros VALUES (?, ?)", sorted(now - before))
            database.executemany("INSERT OR IGNORE INTO stale VALUES (?, ?)", sorted(now ^ before))

    def stale(self) -> list[tuple[str, str]]:
        """Return the students' weeks whose reports do not show yet what was decided."""
        return [(str(name), str(week)) for name, week in self.rows(
            "SELECT name, week FROM stale JOIN people ON people.id = person ORDER BY name, week"
        )]  # fmt: skip

    def forget_stale(self, student: str, week: str) -> None:
        """Record that a student's report shows what was decided."""
        name, where = texts(student, week)
        with self.transaction() as database:
            person = self.key_of(database, name)
            database.execute("DELETE FROM stale WHERE person = ? AND week = ?", (person, where))

    def _work_at(self, student: str, week: str, at: str) -> Report | None:
        """Return what the checks gave to the work that was current at a time."""
        rows = self.rows(_WORK_AT, student, week, at)
        return Report.from_dict(json.loads(rows[0][0]), CheckResult.brief_from_dict) if rows else None

    def _late(self, *key: str) -> dict[tuple[str, ...], Late]:
        rows = self.rows(f"{_LATE} {_ONE if key else ''}", *key)
        return {(student, week): Late(days, percent) for student, week, days, percent in rows}


def insert_decision(database: sqlite3.Connection, person: int, one: Override, gives: Collection[str] = ()) -> int:
    """Record a decision about a person, by the key, in a transaction; return its number.

    `gives` are checks whose points it gives back, beside those that the decision before it gave back.
    """
    week, task, why, who, at = texts(one.week, one.task, one.why, one.who, one.at)
    items = json.dumps([asdict(item) for item in one.items])
    values = (person, week, task, one.points, why, who, at, str(one.kind), items, one.most)
    given = sorted({*given_back(database, person, week, task), *gives}) if one.points is not None else []
    return int(database.execute(_DECIDE, (*values, json.dumps(given))).lastrowid or 0)


def given_back(database: sqlite3.Connection, person: int, week: str, task: str) -> set[str]:
    """Return the checks whose points the decision about a task that holds gives back."""
    (row,) = database.execute(_GIVEN, (person, week, task)).fetchall() or [("[]",)]
    return set(json.loads(row[0]))


def _with(report: Report, comments: Sequence[Comment]) -> Report:
    """Add comments to what people said."""
    said = tuple(one.remark(report) for one in comments)
    return replace(report, remarks=(*report.remarks, *said)) if said else report


def _override(
    student: str,
    week: str,
    task: str,
    points: float | None,
    why: str,
    who: str,
    at: str,
    kind: str,
    items: str,
    most: float,
) -> Override:
    given = tuple(RubricItem(**item) for item in json.loads(items))
    return Override(student, week, task, points, why, who, at, Kind(kind), given, most)
