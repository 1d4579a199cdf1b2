"""Holds the class in memory as the gradebook has it, and reads anew only what has changed.

A page of a class of a thousand would take seconds if it read every report again. Reports are kept in brief; what a page
of one student shows beside it is read when it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from grader.course import week_order
from grader.errors import GraderError
from grader.gradebook import Gradebook, Problem
from grader.gradebook.database import texts
from grader.gradebook.together.actions import work_mark
from grader.gradebook.together.desk import Request
from grader.intake.answers.answers import Answers, Damaged, unpacked
from grader.people.person import Person
from grader.reports.figures import Row, State, by_name, class_rows, class_weeks
from grader.results import CheckResult, Report

T = TypeVar("T")
Key = tuple[int, str]  # a person's key, and a week

_MANY = 40  # from so many changed weeks on, decisions are read for everybody at once
# All that a report depends on beside its attempt, each row under a person and a week.
_ANSWERED = "SELECT person, week, digest, at FROM answered"
_INPUTS = (
    "SELECT person, week, max(id), count(*) FROM overrides GROUP BY person, week",
    "SELECT person, week, count(*), sum(edition), sum(gone) FROM comments GROUP BY person, week",
    "SELECT person, week, days, percent FROM late",
    "SELECT person, week, shown FROM deliveries",
    "SELECT person, week, 0 FROM zeros",
    "SELECT person, coalesce(week, ''), message FROM problems",
    "SELECT person, week, gone FROM entries",
    _ANSWERED,
)
# Each change of a request gives it an edition that no other one ever had; a merge gives it another person.
_REQUESTED = "SELECT count(*), max(edition), sum(edition), sum(id), sum(person) FROM requests"
_PEOPLE = (
    "SELECT * FROM people ORDER BY id",
    "SELECT * FROM marks ORDER BY id",
    "SELECT person, week, gone FROM entries ORDER BY person, week",
)


@dataclass(frozen=True)
class Duty:
    """Who looks after a student's week, and who is done with it; both empty where nobody is."""

    who: str = ""
    done_by: str = ""
    done_at: str = ""


class Snapshot:
    """The class as it is in the gradebook. `revision` grows with every change, `attempted` with every attempt."""

    def __init__(self, book: Gradebook) -> None:
        self.book = book
        self.revision = 0
        self.attempted = 0
        self.people: dict[int, Person] = {}
        self.key_of: dict[str, int] = {}
        self.reports: dict[Key, Report] = {}
        self.attempts: dict[Key, int] = {}
        self.answered: dict[Key, tuple[str, str]] = {}  # the digest of what people grade of a work, and since when
        self.problems: list[Problem] = []
        self.requests: list[Request] = []
        self._requested: list[Any] = []
        self.duties: dict[Key, Duty] = {}
        self.rows: list[Row] = []
        self.weeks: list[str] = []
        self._raw: dict[int, Report] = {}
        self._inputs: dict[Key, tuple[Any, ...]] = {}
        self._people: list[Any] = []
        self._manual: dict[str, Any] = {}
        self._changes = -1
        self.writing = False  # while the desk itself has the folder, to write a report
        self.figures: Any = None  # as `model.figures` keeps them
        self.fixes: dict[str, Any] = {}  # as `model.hints` keeps them
        self.checks: dict[str, Any] = {}  # as `model.groups` keeps them
        self.days: dict[str, Any] = {}  # as `model.days` keeps them
        self._kept: dict[Any, tuple[Row, Any]] = {}
        self._sources_of = lru_cache(maxsize=500)(self._read_sources)
        self._answers_of = lru_cache(maxsize=8)(self._read_answers)  # a few megabytes each, at most
        self.refresh()

    def refresh(self) -> bool:
        """Read what others have changed since; tell whether anything was."""
        changes = self.book.changes
        if changes == self._changes:
            return False
        self._changes = changes
        self._read()
        return True

    def touch(self) -> None:
        """Read what we have changed ourselves, of which SQLite does not tell us."""
        self._read()

    def sources(self, submission: str) -> dict[str, str]:
        """Return a work's modules; none where they are damaged, which is no reason to show nothing of a whole class."""
        rows = self.book.rows("SELECT length(files) FROM sources WHERE submission = ?", submission)
        return self._sources_of(submission, rows[0][0]) if rows else {}

    def _read_sources(self, submission: str, size: int) -> dict[str, str]:
        """Read a work's modules. `size` tells what is kept in the memory from what a run has kept since."""
        try:
            return self.book.sources(submission)
        except GraderError:
            return {}

    def answers(self, key: Key) -> Answers:
        """Return what of a student's week people grade; none where it is not kept, or damaged."""
        return self._answers_of(self.answered.get(key, ("", ""))[0])

    def _read_answers(self, digest: str) -> Answers:
        raw = self.book.answers(digest) if digest else b""
        try:
            return unpacked(raw) if raw else Answers()
        except Damaged:
            return Answers()

    def work(self, key: Key) -> str:
        """Return what tells a student's work from an earlier one."""
        return work_mark(self.attempts.get(key, 0), self.answered.get(key, ("", ""))[0])

    def person(self, key: int) -> Person | None:
        return self.people.get(key)

    def report(self, key: Key) -> Report | None:
        return self.reports.get(key)

    def full(self, key: Key) -> Report | None:
        """Read the whole report of a student's week, with decisions and comments."""
        attempt = self.attempts.get(key)
        if attempt is None:
            return self.reports.get(key)
        (row,) = self.book.rows("SELECT report FROM attempts WHERE id = ?", attempt)
        report = replace(Report.from_dict(json.loads(row[0])), student=self.people[key[0]].name)
        return self.book.adjusted(report)

    def kept(self, row: Row, work_out: Callable[[Row], T]) -> T:
        """Return what is worked out from a row, once for as long as nothing of it changes."""
        known = self._kept.get((row.student, work_out))
        if known is None or known[0] is not row:
            known = self._kept[row.student, work_out] = (row, work_out(row))
        found: T = known[1]
        return found

    def state(self, row: Row, week: str) -> State:
        """Say what became of a week, as `Row.state` does, which takes a while for a whole class."""
        return self.kept(row, _states).get(week) or row.state(week)

    def earlier(self, key: Key) -> list[tuple[int, str, Report]]:
        """Read all attempts at a student's week, the latest first: number, when it was graded, the report."""
        query = "SELECT id, at, report FROM attempts WHERE person = ? AND week = ? ORDER BY id DESC"
        rows = self.book.rows(query, *key)
        return [(number, at, Report.from_dict(json.loads(text))) for number, at, text in rows]

    def _read(self) -> None:
        names_changed = self._read_people()
        manual = self.book.manual_parts()
        weeks_changed = {week for week in {*manual, *self._manual} if manual.get(week) != self._manual.get(week)}
        attempts = self._current()
        self._parse(set(attempts.values()) - set(self._raw))
        inputs = self._read_inputs(attempts)
        changed = {key for key in {*inputs, *self._inputs} if inputs.get(key) != self._inputs.get(key)}
        changed |= {key for key in inputs if key[1] in weeks_changed}
        changed |= {key for key in inputs if key[0] in names_changed}
        if attempts != self.attempts:
            self.attempted += 1
        self._manual, self._inputs, self.attempts = manual, inputs, attempts
        self.answered = {(person, week): (digest, at) for person, week, digest, at in self.book.rows(_ANSWERED)}
        self._adjust(changed)
        if names_changed or not self.rows:
            self._arrange()
        elif changed:
            self._arrange_again(changed)
        self._read_duties()
        self.revision += 1

    def _read_people(self) -> set[int]:
        """Read who is in the class; return the keys of those who have changed."""
        now: list[Any] = [self.book.rows(query) for query in _PEOPLE]
        if now == self._people:
            return set()
        self._people = now
        before = self.people
        self.people = {person.key: person for person in self.book.people()}
        self.key_of = {name: key for key, person in self.people.items() for name in (person.name, *texts(person.name))}
        return {key for key in {*before, *self.people} if before.get(key) != self.people.get(key)}

    def _current(self) -> dict[Key, int]:
        return {
            (person, week): number for number, person, week in self.book.rows("SELECT id, person, week FROM current")
        }

    def _parse(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            (row,) = self.book.rows("SELECT person, report FROM attempts WHERE id = ?", number)
            report = Report.from_dict(json.loads(row[1]), _brief)
            self._raw[number] = report

    def _read_inputs(self, attempts: Mapping[Key, int]) -> dict[Key, tuple[Any, ...]]:
        found: dict[Key, list[Any]] = {key: [number] for key, number in attempts.items()}
        for place, query in enumerate(_INPUTS):
            for person, week, *values in self.book.rows(query):
                found.setdefault((person, week), []).append((place, *values))
        return {key: tuple(values) for key, values in found.items()}

    def _adjust(self, changed: set[Key]) -> None:
        for key in changed:
            self.reports.pop(key, None)
        graded = [key for key in changed if key in self.attempts]
        everybody = self.book.adjuster() if len(graded) >= _MANY else None
        for key in graded:
            report = replace(self._raw[self.attempts[key]], student=self.people[key[0]].name)
            adjusted = everybody or self.book.adjuster(*texts(report.student, report.week))
            self.reports[key] = adjusted(report)
        if changed - set(graded) or everybody:
            self._read_by_hand()

    def _read_by_hand(self) -> None:
        for key in [key for key in self.reports if key not in self.attempts]:
            del self.reports[key]
        for report in self.book.reports_by_hand():
            self.reports[self.key_of[report.student], report.week] = report

    def _arrange(self) -> None:
        """Make the class's rows anew, which takes a while in a large class."""
        self.problems = self.book.problems()
        ordered = sorted(self.reports.values(), key=lambda report: week_order(report.week))
        rows = class_rows(ordered, self.problems, list(self.people.values()))
        self.rows = sorted(rows, key=lambda row: by_name(row.student))
        self.weeks = class_weeks(self.rows)

    def _arrange_again(self, changed: set[Key]) -> None:
        """Make the rows of those anew of whom something has changed."""
        keys = {key for key, _ in changed}
        names = {self.people[key].name for key in keys if key in self.people}
        if names & {one.student for one in self.problems} or self._has_problem(keys):
            self.problems = self.book.problems()
        known = {row.student for row in self.rows}
        if names - known or any(week not in self.weeks for _, week in changed):
            self._arrange()
            return
        self.rows = [self._row(row) if row.student in names else row for row in self.rows]

    def _has_problem(self, keys: set[int]) -> bool:
        marks = ", ".join("?" * len(keys))
        return bool(self.book.rows(f"SELECT 1 FROM problems WHERE person IN ({marks}) LIMIT 1", *keys))

    def _row(self, row: Row) -> Row:
        key = self.key_of[row.student]
        reports = {week: self.reports[key, week] for week in self.weeks if (key, week) in self.reports}
        return replace(row, reports=reports, problems=tuple(one for one in self.problems if one.student == row.student))

    def _read_duties(self) -> None:
        assigned, looked = self.book.assigned(), self.book.looked()
        self.duties = {}
        for key in {*assigned, *looked}:
            by, at, attempt = looked.get(key, ("", "", -1))
            is_current = attempt == self.attempts.get(key, 0)
            self.duties[key] = Duty(assigned.get(key, ""), by if is_current else "", at if is_current else "")
        seen = self.book.rows(_REQUESTED)
        if seen != self._requested:  # thousands of them need not be read anew whenever something else changes
            self._requested, self.requests = seen, self.book.requests()


def _states(row: Row) -> dict[str, State]:
    return {week: row.state(week) for week in row.reports}


def _brief(data: Mapping[str, Any]) -> CheckResult:
    """Read a check without what only a student's own page shows, but with the line that it names."""
    check = CheckResult.brief_from_dict(data)
    return replace(check, place=data["place"]) if data.get("place") else check
