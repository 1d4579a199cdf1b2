"""Who is in the class: a CSV file with the columns `id`, `name`, `email`, `section` and `extensions`.

`name` is needed, the others are not. `extensions` is as in `week5=+2d; week6=2026-10-20T23:59+02:00`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from grader.errors import UsageError
from grader.exports import worksheet
from grader.intake import Candidate
from grader.late import Extension

COLUMNS = ("id", "name", "email", "section", "extensions")
_MORE = re.compile(r"\+(\d{1,3})([dh])")


@dataclass(frozen=True)
class Student:
    """One line of the roster."""

    name: str
    id: str = ""
    email: str = ""
    section: str = ""
    extensions: Mapping[str, Extension] = field(default_factory=dict)


@dataclass(frozen=True)
class Roster:
    """The class; empty where none is known."""

    students: tuple[Student, ...] = ()

    def find(self, name: str) -> Student | None:
        """Who is meant by an entry's name: an id, an address or its part before the @, or a name in any order.

        None where nobody or more than one is.
        """
        number = re.search(r" \((\w+)\)$", name)
        words = {name, number[1]} if number else {name}
        exact = [s for s in self.students if words & {s.id, s.email, s.email.partition("@")[0]} - {""}]
        alike = [s for s in self.students if worksheet.same_name(s.name) == worksheet.same_name(name)]
        found = exact or alike
        return found[0] if len(found) == 1 else None

    def named(self, candidate: Candidate) -> Candidate:
        """The candidate under the roster's name for its student, where there is one and no other has the same."""
        student = self.find(candidate.student)
        if student is None:
            return candidate
        alone = sum(other.name == student.name for other in self.students) == 1
        return replace(candidate, student=student.name if alone else f"{student.name} ({student.id or student.email})")

    def extension(self, name: str, week: str) -> Extension | None:
        """What a student was granted for a week."""
        student = self.find(name)
        return student.extensions.get(week) if student else None

    def missing(self, names: Iterable[str]) -> list[str]:
        """The names of those who are none of `names`."""
        there = {id(student) for name in names if (student := self.find(name))}
        return [student.name for student in self.students if id(student) not in there]


def read_roster(file: Path) -> Roster:
    """A roster. `UsageError` names the line and what is wrong with it."""
    sheet = worksheet.read(file)
    header = [name.strip().lower() for name in sheet.header]
    unknown = [name for name in header if name not in COLUMNS]
    if "name" not in header or unknown or len(set(header)) < len(header):
        raise UsageError(f"{file}: the first line must name columns out of {', '.join(COLUMNS)}, `name` among them")
    return Roster(tuple(_student(file, line, header, row) for line, row in enumerate(sheet.rows[1:], 2) if any(row)))


def _student(file: Path, line: int, header: Sequence[str], row: Sequence[str]) -> Student:
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    if not cells["name"]:
        raise UsageError(f"{file}:{line}: a student without a name")
    granted = [part.strip() for part in cells.pop("extensions", "").split(";") if part.strip()]
    return Student(**cells, extensions=dict(_extension(file, line, text) for text in granted))


def _extension(file: Path, line: int, text: str) -> tuple[str, Extension]:
    week, _, until = (part.strip() for part in text.partition("="))
    more = _MORE.fullmatch(until)
    if week and more:
        return week, timedelta(days=int(more[1])) if more[2] == "d" else timedelta(hours=int(more[1]))
    try:
        due = datetime.fromisoformat(until)
    except ValueError:
        due = None
    if not week or due is None or due.tzinfo is None:
        raise UsageError(
            f"{file}:{line}: cannot read the extension {text!r}; "
            f"write it as in week5=+2d, week5=+12h or week5=2026-10-20T23:59+02:00"
        )
    return week, due
