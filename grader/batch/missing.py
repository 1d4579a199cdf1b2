"""Says for whom a week counts as zero points because nothing was handed in, where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from grader.course import Assignment, Course, week_order
from grader.gradebook import Gradebook
from grader.intake.lateness import is_over
from grader.intake.roster import Roster
from grader.people.matching import questions
from grader.people.person import Person

ZERO, EMPTY = "zero", "empty"  # what a missing week counts
_SETTING = "missing"


def note_missing(
    course: Course, roster: Roster, book: Gradebook, wanted: str | None, now: datetime | None = None
) -> list[tuple[str, str]]:
    """Note for whom a week counts as zero, in place of what was noted before; return them, by student and week.

    `wanted` is `ZERO` or `EMPTY`, and None what the last run had. A week counts from when it is due on, for those of
    the roster, or without one for all who handed in anything; not for those whose entry is not clear or not readable.
    """
    if wanted:
        book.set(_SETTING, wanted)
    zeros = sorted(_missing(course, roster, book, now or datetime.now(UTC))) if book.setting(_SETTING) == ZERO else []
    book.record_zeros(zeros)
    decided = {(report.student, report.week) for report in book.reports_by_hand() if report.final == 0}
    return sorted(set(zeros) & decided, key=lambda one: (one[0], week_order(one[1])))


def _missing(course: Course, roster: Roster, book: Gradebook, now: datetime) -> set[tuple[str, str]]:
    people = book.people()
    unclear = {other.name for _, others in questions(people) for other in others}
    has_roster = any(person.listed for person in people)
    there = [one for one in people if (one.listed if has_roster else one.handed) and one.name not in unclear]
    assignments = _due_weeks(course, book)
    handed = set(book.graded_weeks()) | {(problem.student, problem.week or "") for problem in book.all_problems()}
    return {
        (person.name, week)
        for person in there
        for week, assignment in assignments.items()
        if not _has(person, week, handed) and is_over(assignment, roster.extension(person.name, week), now)
    }


def _due_weeks(course: Course, book: Gradebook) -> Mapping[str, Assignment]:
    """Return the weeks that anybody has a result in."""
    graded = {week for _, week in book.graded_weeks()}
    return {week: assignment for week, assignment in course.assignments().items() if week in graded}


def _has(person: Person, week: str, handed: set[tuple[str, str]]) -> bool:
    """Tell whether there is something of a week; an entry that cannot be read may hold it."""
    return week in person.handed or bool({(person.name, week), (person.name, "")} & handed)
