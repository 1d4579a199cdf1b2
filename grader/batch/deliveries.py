"""Notes how each week was handed in: what its report shows of that, and the way by which feedback goes back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from grader.batch.pages import report_folder
from grader.course import Assignment, Course
from grader.errors import SubmissionError
from grader.gradebook import Gradebook
from grader.gradebook.deliveries import Route
from grader.inside import says
from grader.intake import Candidate, surveyed_digest
from grader.intake.lateness import due_of, written
from grader.intake.layouts import PLAIN, canvas
from grader.intake.roster import Roster
from grader.intake.tables.extensions import Days, Extension
from grader.people.identity import ANONYMOUS
from grader.reports.pages import outdate
from grader.results import Delivery
from grader.results.delivery import listed


def note_deliveries(course: Course, candidates: Sequence[Candidate], roster: Roster, book: Gradebook) -> None:
    """Note deliveries anew on every run, so that a changed extension or group needs no grading."""
    assignments, before = course.assignments(), book.deliveries()
    groups = _groups(candidates, roster)
    now: dict[tuple[str, str], Route] = {}
    for candidate in candidates:
        if candidate.week is not None and candidate.place is not None:
            shown = _shown(candidate, assignments[candidate.week], roster, groups, book)
            now[candidate.student, candidate.week] = Route(_layout(candidate), _entries(candidate), shown)
    changed = {key: route for key, route in now.items() if before.get(key) != route}
    for student, week in changed:
        outdate(report_folder(book, book.path.parent, student, week))
    book.record_deliveries(changed)


def _layout(candidate: Candidate) -> str:
    platform = candidate.who.platform
    return "canvas" if platform == ANONYMOUS else platform or PLAIN


def _entries(candidate: Candidate) -> tuple[str, ...]:
    return tuple(path.name for _, path in candidate.parts) or (candidate.path.name,)


def _shown(
    candidate: Candidate, assignment: Assignment, roster: Roster, groups: Mapping[tuple[Path, str], Sequence[str]],
    book: Gradebook,
) -> Delivery:  # fmt: skip
    week = assignment.week
    extension = roster.extension(candidate.student, week)
    due = due_of(assignment, extension)
    at = candidate.handed.at if candidate.handed else None
    student = roster.student(candidate.student)
    members = groups.get((candidate.path, week), ())
    return Delivery(
        files=listed(list(_named(candidate))),
        version=book.version_of(candidate.student, week, _digest(candidate)),
        at=written(at, assignment) if at else "",
        due=written(due, assignment) if due else "",
        extension=_granted(extension, assignment) if extension is not None else "",
        group=student.group if student else "",
        members=tuple(members) if candidate.student in members else (),
    )


def _groups(candidates: Sequence[Candidate], roster: Roster) -> dict[tuple[Path, str], list[str]]:
    """Return the names of those whose work is one entry, by the entry and week, with the rest of their groups."""
    found: dict[tuple[Path, str], set[str]] = {}
    members = {name: names for names in roster.groups().values() for name in names}
    for candidate in candidates:
        theirs = found.setdefault((candidate.path, candidate.week or ""), set())
        theirs |= {candidate.student, *members.get(candidate.student, ())}
    return {entry: sorted(names) for entry, names in found.items() if len(names) > 1}


def _digest(candidate: Candidate) -> str:
    try:
        return surveyed_digest(candidate)
    except SubmissionError:
        return ""


def _named(candidate: Candidate) -> Iterator[str]:
    """Name the files that were read, each with the name by which the platform has it where that is another one."""
    is_canvas = _layout(candidate) == "canvas"
    theirs = {_plain(own): canvas.own_name(path.name) for own, path in candidate.parts if is_canvas}
    for file in candidate.files:
        top, slash, rest = file.partition("/")
        original = theirs.get(_plain(top), top)
        yield f"{original}{slash}{rest}"


def _plain(name: str) -> str:
    return re.sub(r"-\d+(?=(\.[^.]*)?$)", "", name)


def _granted(extension: Extension, assignment: Assignment) -> str:
    if isinstance(extension, Days):
        return _days(extension.count)
    if isinstance(extension, timedelta):
        return _hours(round(extension / timedelta(hours=1)))
    return says(f"until {written(extension, assignment)}")


def _days(number: int) -> str:
    return says("1 day more") if number == 1 else says(f"{number} days more")


def _hours(number: int) -> str:
    return says("1 hour more") if number == 1 else says(f"{number} hours more")
