"""Chooses students by what stands in an address: a search, a section, a state, who looks after them, an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from grader.desk.model.lists import Sheet, page_number, sheet
from grader.desk.model.snapshot import Duty, Snapshot
from grader.people.naming import folded
from grader.reports.class_page import flags, marks
from grader.reports.figures import Row, State, by_name, headcount
from grader.reports.sections import section_name

PER_PAGE = 100
NOBODY = "-"
OPEN, DONE, LOOK = "open", "done", "look"
ORDERS = ("name", "total", "-total")


@dataclass(frozen=True)
class Filter:
    """What is shown of the class; what is empty chooses nothing."""

    q: str = ""
    section: str = ""
    week: str = ""
    state: str = ""
    ta: str = ""
    work: str = ""
    sort: str = "name"
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """Read an address; what makes no sense there is as if it were not there."""
        texts = {one.name: query.get(one.name, "")[:200] for one in fields(cls) if one.name not in ("sort", "page")}
        number = page_number(query.get("page", ""))
        sort = query.get("sort", "name")
        return cls(**texts, sort=sort if sort in ORDERS or sort.lstrip("-").startswith("week") else "name", page=number)

    def address(self, **changes: str | int) -> str:
        """Return the address that shows the same but for these changes; the first page unless one is named."""
        said = self.said(**changes)
        return f"?{urlencode(said, errors='backslashreplace')}" if said else "?"

    def said(self, **changes: str | int) -> dict[str, str]:
        """Return what an address says of it, but for these changes."""
        values = {one.name: getattr(self, one.name) for one in fields(self)} | {"page": 1} | changes
        plain = {"sort": "name", "page": 1}
        return {name: str(value) for name, value in values.items() if value and value != plain.get(name)}

    def following(self, person: int = 0, week: str = "") -> str:
        """Return the address of what is next after a student's week, among those that are chosen."""
        query = self.address().removeprefix("?")
        after = urlencode({"person": person, "of": week}) if person else ""
        return f"/next{'?' if query or after else ''}{'&'.join(filter(None, (query, after)))}"


def choose(snapshot: Snapshot, wanted: Filter) -> Sheet[Row]:
    """Return the page of rows that a filter asks for; what is counted are students, on all pages."""
    rows = chosen_rows(snapshot, wanted)
    return replace(sheet(rows, PER_PAGE, wanted.said(page=wanted.page)), count=headcount(rows))


def chosen_rows(snapshot: Snapshot, wanted: Filter) -> list[Row]:
    """Return all rows that a filter asks for, in its order."""
    words = folded(wanted.q).split()
    found = [row for row in snapshot.rows if _fits(snapshot, row, wanted, words)]
    return _sorted(found, wanted.sort)


def _fits(snapshot: Snapshot, row: Row, wanted: Filter, words: Sequence[str]) -> bool:
    if wanted.section and (section_name(row.person) or NOBODY) != wanted.section:
        return False
    if words and not all(word in snapshot.kept(row, _text) for word in words):
        return False
    weeks = [wanted.week] if wanted.week else snapshot.weeks
    if wanted.state and not any(wanted.state in states(row, week) for week in weeks):
        return False
    if wanted.ta and not any(
        (snapshot.duties.get((row.person.key, week), Duty()).who or NOBODY) == wanted.ta for week in weeks
    ):
        return False
    return not wanted.work or any(_is(snapshot, row, week, wanted.work) for week in weeks)


def states(row: Row, week: str) -> set[str]:
    """Return all that a week can be found by."""
    report = row.reports.get(week)
    return {str(row.state(week)), *(marks(report) if report else ())}


def needs_look(row: Row, week: str) -> bool:
    """Tell whether a person has to look at a student's week: a part waits, something could not be graded, or newer work
    would score more than what was decided about an earlier one.
    """  # fmt: skip
    report = row.reports.get(week)
    return row.state(week) in (State.PROVISIONAL, State.NOT_GRADABLE) or bool(report and report.overtaken)


def _is(snapshot: Snapshot, row: Row, week: str, work: str) -> bool:
    if week not in row.reports and row.state(week) is not State.NOT_GRADABLE:
        return False
    done = bool(snapshot.duties.get((row.person.key, week), Duty()).done_by)
    if work == DONE:
        return done
    return not done and (work == OPEN or needs_look(row, week))


def _text(row: Row) -> str:
    person = row.person
    known = " ".join(value for _, value in person.marks)
    return folded(f"{row.student} {known} {person.group} {' '.join(flags(row))}")


def _sorted(rows: list[Row], order: str) -> list[Row]:
    name, backwards = order.lstrip("-"), order.startswith("-")
    if name == "name":
        return rows  # they are in this order
    scores = {row.student: row.total if name == "total" else row.final(name) for row in rows}
    known = [row for row in rows if scores[row.student] is not None]
    known.sort(key=lambda row: (scores[row.student] or 0, by_name(row.student)), reverse=backwards)
    return [*known, *(row for row in rows if scores[row.student] is None)]
