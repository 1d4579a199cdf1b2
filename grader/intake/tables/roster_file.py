"""Reads the roster's file: our own columns, or what Canvas, Moodle, Gradescope or GitHub Classroom export."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.intake.tables.columns import find_columns
from grader.intake.tables.extensions import Extension, read_extensions, read_times
from grader.intake.tables.participants import are_participants, is_participant, number_of
from grader.intake.tables.rows import Row, read_rows
from grader.people.naming import same_name

# A Canvas gradebook has rows that are nobody's: maxima, how grades are posted, and its student for trying things.
_NOBODY = re.compile(r"\s*(points possible|muted.*|manual posting.*|student, test|test student)\s*", re.IGNORECASE)
_GRANTED = re.compile(r"\s*\w+\s*=\s*(\+\d+\s*[dh]|\d{4}-\d\d-\d\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One student of a roster's file, as it is written there; `also` are other numbers of the same student."""

    line: int
    name: str
    id: str = ""
    email: str = ""
    login: str = ""
    also: str = ""
    section: str = ""
    group: str = ""
    groups: str = ""  # of a platform, where people need not hand in together
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    submitted: Mapping[str, datetime] = field(default_factory=dict)
    is_participant: bool = False  # the id is Moodle's number of a participant, which is for one assignment


def read_lines(
    file: Path, week_of: Callable[[str], str | None], known: Collection[str]
) -> tuple[list[Line], tuple[str, ...]]:
    """Read a roster; return its lines, and what was guessed about its text. `UsageError` names the line that is wrong.

    `week_of` returns the week that a word names, None where it names none of `known`.
    """
    table = read_rows(file)
    header, rows = table.header, table.rows
    columns, is_worksheet = _columns(file, header, rows)
    kept = [row for row in rows if not _is_nobodys(row, columns)]
    _refuse_grants_elsewhere(file, header, kept, columns)
    if is_worksheet:
        kept = [Row(row.line, (number_of(row.cells[0]) or "", *row.cells[1:])) for row in kept]
    lines = [replace(_line(file, row, columns, week_of, known), is_participant=is_worksheet) for row in kept]
    _refuse_twice(file, lines)
    return lines, table.said


def _columns(file: Path, header: Row, rows: Sequence[Row]) -> tuple[dict[str, int], bool]:
    """Find the columns, and tell whether it is a grading worksheet of Moodle's, whose header is in any language."""
    try:
        named = find_columns(file, header.line, header.cells)
    except UsageError:
        if not are_participants(rows):
            raise
        named = {}
    if named and not all(is_participant(row.cells[0]) for row in rows):
        return named, False
    addresses = [n for n in range(2, len(header.cells)) if any("@" in row.cells[n] for row in rows)]
    found = {"id": 0, "name": 1} | ({"email": addresses[0]} if addresses else {})
    return named | found | ({"also": named["id"]} if named.get("id") else {}), True


def _is_nobodys(row: Row, columns: Mapping[str, int]) -> bool:
    """Tell whether a row names nobody: one of Canvas's own, or one that is empty in all columns that are read."""
    cells = [row.cells[place] for place in columns.values()]
    return not any(cells) or _NOBODY.fullmatch(_name(row, columns)) is not None


def _line(
    file: Path, row: Row, columns: Mapping[str, int], week_of: Callable[[str], str | None], known: Collection[str]
) -> Line:
    where = f"{file}:{row.line}"
    own = {column: place for column, place in columns.items() if column not in ("name", "first", "last")}
    cells: dict[str, Any] = {column: row.cells[place] for column, place in own.items()}
    name = _name(row, columns)
    if not name:
        raise UsageError(f"{where}: a student without a name")
    section = cells.pop("section", "") or cells.get("groups", "")
    extensions = read_extensions(where, cells.pop("extensions", ""), week_of, known)
    submitted = read_times(where, cells.pop("submitted", ""), week_of, known)
    return Line(row.line, name, **cells, section=section, extensions=extensions, submitted=submitted)


def _name(row: Row, columns: Mapping[str, int]) -> str:
    whole = row.cells[columns["name"]] if "name" in columns else ""
    return whole or " ".join(row.cells[columns[part]] for part in ("first", "last") if part in columns).strip()


def _refuse_grants_elsewhere(file: Path, header: Row, rows: Sequence[Row], columns: Mapping[str, int]) -> None:
    """Refuse an extension in a column that is not read: it would be lost without a word."""
    for row in rows:
        for place, cell in enumerate(row.cells):
            if place not in columns.values() and _GRANTED.match(cell):
                raise UsageError(
                    f"{file}:{row.line}: {cell!r} stands under {header.cells[place]!r}; call that column `extensions`"
                )


def _refuse_twice(file: Path, lines: Sequence[Line]) -> None:
    """Refuse two lines that nothing tells apart, or that claim to be the same person."""
    seen: dict[tuple[str, str], Line] = {}
    for line in lines:
        for kind in ("id", "email", "login"):
            word = getattr(line, kind)
            before = seen.setdefault((kind, word.casefold()), line)
            if word and before is not line:
                raise UsageError(
                    f"{file}:{line.line}: the {kind} {word} is also {before.name}'s, in line {before.line}; "
                    f"keep one line for each student"
                )
        if not (line.id or line.email or line.login):
            before = seen.setdefault(("name", " ".join(same_name(line.name))), line)
            if before is not line:
                raise UsageError(
                    f"{file}:{line.line}: nothing tells {line.name} apart from the one in line {before.line}; "
                    f"give each an id or an e-mail address"
                )
