"""Keeps the roster: a run without one has the extensions, times and groups of the last that was given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from grader.gradebook import Gradebook
from grader.intake.roster import Roster, Student
from grader.intake.tables.extensions import Extension, parsed, written
from grader.people.person import Person

Granted = dict[tuple[int, str], tuple[str, str]]  # by the person's key and week, as the gradebook has it


def kept_roster(book: Gradebook | None) -> Roster:
    """Return the roster of the last run that had one; empty where none had."""
    if book is None:
        return Roster()
    listed, granted = [person for person in book.people() if person.listed], book.granted()
    return Roster(tuple(_student(person, granted) for person in listed), tuple(person.key for person in listed))


def keep_roster(roster: Roster, book: Gradebook) -> None:
    """Record what a new roster grants, once the gradebook has its people."""
    if roster.students and not roster.keys:
        keys = {person.name: person.key for person in book.people()}
        book.record_granted({(keys[name], week): values for name, week, values in _granted(roster) if name in keys})


def _student(person: Person, granted: Granted) -> Student:
    own = {week: values for (key, week), values in granted.items() if key == person.key}
    extensions: dict[str, Extension] = {}
    submitted: dict[str, datetime] = {}
    for week, (extension, at) in own.items():
        if (more := parsed(extension)) is not None:
            extensions[week] = more
        if isinstance(time := parsed(at), datetime):
            submitted[week] = time
    return Student(person.name, section=person.section, group=person.group, extensions=extensions, submitted=submitted)


def _granted(roster: Roster) -> Iterator[tuple[str, str, tuple[str, str]]]:
    for name, place in roster.shown.items():
        student = roster.students[place]
        for week in {*student.extensions, *student.submitted}:
            more, at = student.extensions.get(week), student.submitted.get(week)
            yield name, week, ("" if more is None else written(more), "" if at is None else written(at))
