"""Decides at a gradebook: checks whom and what it is about, records it, then brings reports and pages in step."""

from __future__ import annotations

import getpass
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.batch.deciding.teams import Teams
from grader.batch.deciding.words import Meant, Scale
from grader.batch.pages import write_decided, write_grades_of
from grader.errors import GraderError, UsageError
from grader.escape import terminal
from grader.gradebook import Gradebook
from grader.language import decimal
from grader.people.person import Person
from grader.results import Kind, Override, Report

FEW = 10  # students whose reports are read one by one


@dataclass(frozen=True)
class Change:
    """A student's week before and after decisions; None where there is no report."""

    student: str
    week: str
    before: Report | None
    after: Report | None

    def __str__(self) -> str:
        old, new = (decimal(report.grade) if report else "nothing" for report in (self.before, self.after))
        if self.after is None or self.after.excused:
            return f"{self.student} {self.week}: {old} → {new}"
        state = ", provisional" if self.after.provisional else ""
        same = "; the score stays as it was" if old == new and not state else ""
        return f"{self.student} {self.week}: {old} → {new} of {decimal(self.after.max_score)}{state}{same}"


class _Reports:
    """The present reports, by student and week; of a few students they are read one by one, for more all at once."""

    def __init__(self, book: Gradebook) -> None:
        self._book = book
        self._found: dict[str, dict[str, Report]] = {}
        self._has_all = False

    def of(self, student: str) -> Mapping[str, Report]:
        """Return a student's reports by week, maybe with those of entries that are gone."""
        if student not in self._found and not self._has_all:
            self._has_all = len(self._found) >= FEW
            for report in self._book.current() if self._has_all else self._book.latest([student]):
                self._found.setdefault(report.student, {})[report.week] = report
        return self._found.setdefault(student, {})


class Desk:
    """An open gradebook at which somebody decides."""

    def __init__(self, book: Gradebook, out: Path, who: str | None = None) -> None:
        self._book = book
        self._out = out
        self.who = (who or getpass.getuser()).strip()
        self.now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.teams = Teams(book)
        self.held = {(one.student, one.week, *one.slot): one for own in book.decisions().values() for one in own}
        self._reports = _Reports(book)
        self._parts = book.manual_parts()
        self._weeks = book.known_weeks()
        self._scales: dict[tuple[str, str], Scale] = {}

    def scale(self, person: Person, week: str) -> Scale:
        """Return what there is to decide about a person's week; `UsageError` where there is no such week."""
        if week not in self._weeks or week in person.gone:
            own = ", ".join(known for known in self._reports.of(person.name) if known not in person.gone) or "none"
            gone = "" if week not in person.gone else ", since the class folder no longer holds the entry"
            raise UsageError(terminal(f"{person.name} has no result for {week!r}{gone}; there is: {own}"))
        report = self._reports.of(person.name).get(week)
        key = person.name if report else "", week
        if key not in self._scales:
            self._scales[key] = self._scale_of(report, week)
        return self._scales[key]

    def _scale_of(self, report: Report | None, week: str) -> Scale:
        checks = () if report and report.checks else self._book.checks_of(week)
        return Scale.of(week, report, checks, self._parts.get(week, ()))

    def decision(self, student: str, week: str, meant: Meant, why: str, who: str = "", at: str = "") -> Override:
        """Make a decision of what is meant."""
        by, when = who or self.who, at or self.now
        return Override(student, week, meant.task, meant.points, why, by, when, meant.kind, meant.items, meant.most)

    def holds(self, decision: Override) -> bool:
        """Tell whether a decision holds already, whoever made it."""
        held = self.held.get((decision.student, decision.week, *decision.slot))
        if decision.points is None or held is None:
            return held is None and decision.points is None
        return _content(held) == _content(decision)

    def reached(self, people: Sequence[Person], week: str, meant: Meant, alone: bool) -> list[Person]:
        """Return whom a decision concerns: all who share the work, unless it is about the person."""
        return list(people) if alone or meant.kind is Kind.EXCUSED else self.teams.of(people, week)

    def decide(self, decisions: Sequence[Override]) -> list[Change]:
        """Record decisions, all or none, and write what shows them; return what became of each student's week."""
        keys = list(dict.fromkeys((one.student, one.week) for one in decisions))
        before = {key: self._reports.of(key[0]).get(key[1]) for key in keys}
        self._book.decide(decisions)
        self._show({one.student for one in decisions})
        after = _by_key(self._book.latest({student for student, _ in keys}))
        return [Change(*key, before[key], after.get(key)) for key in keys]

    def _show(self, students: Collection[str]) -> None:
        """Write what shows the decisions; where that cannot be, they hold all the same, and later commands write it."""
        try:
            try:
                write_decided(self._book, self._out)
            finally:
                write_grades_of(self._book, self._out, students)
        except OSError as error:
            raise GraderError(
                terminal(
                    f"decided, and kept in the gradebook; but pages still show what was before: {error.filename}: "
                )
                + f"{error.strerror}. Mend that, and run `batch` or decide again: they are written then"
            ) from error


def _content(decision: Override) -> tuple[object, ...]:
    names = tuple(item.name for item in decision.items)
    return decision.kind, decision.points, names, terminal(decision.why)


def _by_key(reports: Iterable[Report]) -> dict[tuple[str, str], Report]:
    return {(report.student, report.week): report for report in reports}
