"""Keeps in the gradebook what is changed after the checks: overrides, and what lateness costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from grader.gradebook.database import texts
from grader.gradebook.deliveries import Deliveries
from grader.results import Late, Override, Report, adjust

_OVERRIDES = "SELECT name, week, task, points, why, who, at FROM overrides JOIN people ON people.id = person"
_LATE = "SELECT name, week, days, percent FROM late JOIN people ON people.id = person"
_CHANGED = """
UPDATE attempts SET late_before = ? WHERE id = (SELECT max(id) FROM attempts WHERE person = ? AND week = ?)
"""
_ONE = "WHERE name = ? AND week = ?"

Overrides = dict[tuple[str, ...], list[Override]]  # by student and week


class Adjustments(Deliveries):
    """What changes scores after the checks."""

    def adjusted(self, report: Report) -> Report:
        """Apply the overrides and the lateness of its student's week to a report as the checks gave it."""
        return self.adjuster(*texts(report.student, report.week))(report)

    def adjuster(self, *key: str) -> Callable[[Report], Report]:
        """Return `adjusted` for many reports; with a student and a week as the key, for those alone."""
        overrides, late, delivered = self._overrides(*key), self._late(*key), self.deliveries(*key)

        def adjusted(report: Report) -> Report:
            own = texts(report.student, report.week)
            shown = delivered[own].shown if own in delivered else None
            return adjust(replace(report, delivery=shown), overrides.get(own, ()), late.get(own))

        return adjusted

    def adjusted_as(self, report: Report, late_before: str | None) -> Report:
        """Return `adjusted` with an attempt's earlier lateness, where it is known."""
        if late_before is None:
            return self.adjusted(report)
        days, percent = json.loads(late_before)
        overrides = self._overrides(*texts(report.student, report.week))
        own = overrides.get(texts(report.student, report.week), ())
        return adjust(report, own, Late(days, percent) if days else None)

    def override(self, override: Override) -> None:
        """Record a person's score for a task; it holds until another is recorded, even if the week is graded again."""
        student, week, task, why, who, at = texts(
            override.student, override.week, override.task, override.why, override.who, override.at
        )
        with self.transaction() as database:
            person = self.key_of(database, student)
            database.execute(
                "INSERT INTO overrides VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
                (person, week, task, override.points, why, who, at),
            )

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

    def _overrides(self, *key: str) -> Overrides:
        """Return the overrides that hold, for everybody or for one student's week."""
        rows = self.rows(f"{_OVERRIDES} {_ONE if key else ''} ORDER BY overrides.id", *key)
        latest = {row[:3]: Override(*row) for row in rows}
        found: Overrides = {}
        for override in latest.values():
            if override.points is not None:
                found.setdefault((override.student, override.week), []).append(override)
        return found

    def _late(self, *key: str) -> dict[tuple[str, ...], Late]:
        rows = self.rows(f"{_LATE} {_ONE if key else ''}", *key)
        return {(student, week): Late(days, percent) for student, week, days, percent in rows}
