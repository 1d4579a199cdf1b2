"""Gathers the reports of one week that can go back to their students, and names those that cannot."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from grader.course import week_order
from grader.errors import UsageError
from grader.gradebook import Gradebook, open_book
from grader.gradebook.deliveries import Route
from grader.people.matching import questions
from grader.people.person import Person
from grader.reports.pages import report_html
from grader.reports.words import week_title
from grader.results import Report

LONGEST = 60  # characters of a name in a file's name


@dataclass(frozen=True)
class Parcel:
    """One student's report of a week, and how the work came; `route` is None where an older run has not noted it."""

    person: Person
    report: Report
    route: Route | None = None

    @property
    def name(self) -> str:
        """The student as pages show it."""
        return self.report.student

    @cached_property
    def page(self) -> bytes:
        """The report as one page that needs no other file."""
        return report_html(self.report).encode("utf-8", "replace")

    @property
    def file(self) -> str:
        """The page's name, the same for everybody."""
        return f"report-{self.report.week}.html"


@dataclass
class Parcels:
    """The parcels of a week, a line for each student who gets none, with the reason, and how many found their way.

    `said` is what was guessed about the text of a worksheet that helped.
    """

    week: str
    ready: Sequence[Parcel]
    left_out: list[str] = field(default_factory=list)
    sent: int = 0
    said: Sequence[str] = ()

    @property
    def title(self) -> str:
        """The week as people write it."""
        return week_title(self.week)

    def addressed(self, address: Callable[[Parcel], str], unknown: str, shared: str) -> dict[str, Parcel]:
        """Return parcels by their address; leave out who has none (`unknown` says so), and those who have the same.

        `shared` is the reason for the latter, with `{names}` and `{address}` to fill in. Letter case makes no two.
        """
        found: dict[str, list[tuple[str, Parcel]]] = {}
        for parcel in self.ready:
            where = address(parcel)
            if where:
                found.setdefault(where.casefold(), []).append((where, parcel))
            else:
                self.left_out.append(f"{parcel.name}: {unknown}")
        for theirs in found.values():
            names = " and ".join(parcel.name for _, parcel in theirs)
            if len(theirs) > 1:
                self.left_out += [f"{p.name}: {shared.format(names=names, address=where)}" for where, p in theirs]
        alone = {theirs[0][0]: theirs[0][1] for theirs in found.values() if len(theirs) == 1}
        self.sent = len(alone)
        return alone


def gather(folder: Path, week: str | None) -> Parcels:
    """Gather what a gradebook has of a week. `UsageError` where there is nothing, or it has several weeks."""
    with open_book(folder) as book:
        reports = book.current()
        week = _week(folder, week, reports)
        people = {person.name: person for person in book.people()}
        routes = book.deliveries()
        why_not = _why_not(book, week, reports, people)
    ready = [
        Parcel(people[report.student], report, routes.get((report.student, week)))
        for report in reports
        if report.week == week and report.student not in why_not
    ]
    return Parcels(week, ready, [f"{name}: {why}" for name, why in sorted(why_not.items())])


def _week(folder: Path, week: str | None, reports: Iterable[Report]) -> str:
    weeks = sorted({report.week for report in reports}, key=week_order)
    if week is None and len(weeks) > 1:
        raise UsageError(f"--week: say whose feedback goes back: {', '.join(weeks)}")
    if not weeks or (week is not None and week not in weeks):
        raise UsageError(f"{folder}: there are no results{f' of {week}' if week else ''}")
    return week or weeks[0]


def _why_not(book: Gradebook, week: str, reports: Iterable[Report], people: Mapping[str, Person]) -> dict[str, str]:
    """Return who gets nothing back, each with the reason."""
    found = {}
    may_be = {other.name: one.name for one, others in questions(list(people.values())) for other in others}
    graded = {report.student for report in reports if report.week == week}
    for person in people.values():
        if person.listed and person.name not in graded and week not in person.gone:
            mine = may_be.get(person.name)
            found[person.name] = f"not clear whether {mine} is theirs" if mine else f"handed in nothing for {week}"
    for report in reports:
        if report.week == week and report.final is None:
            found[report.student] = "excused" if report.excused else "not graded for good yet"
    for problem in book.problems():
        if problem.week == week or (problem.week is None and problem.student not in graded):
            again = problem.student in graded
            found[problem.student] = "not graded for good yet" if again else f"not gradable: {problem.message}"
    return found


def file_name(name: str) -> str:
    """Return letters and digits of a name, with hyphens between words: no platform reads anything into it."""
    composed = unicodedata.normalize("NFC", name)
    shown = "".join(char if char.isalnum() or unicodedata.combining(char) else " " for char in composed)
    return re.sub(r"\s+", "-", shown.strip())[:LONGEST].strip("-") or "student"
