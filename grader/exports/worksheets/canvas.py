"""Fills one assignment's column of the gradebook that an instructor exported from Canvas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from grader.errors import UsageError
from grader.exports.worksheets.fill import Filled, Rules, fill, is_of_week
from grader.intake import worksheet
from grader.intake.worksheet import Worksheet
from grader.people.identity import ALSO, CANVAS, EMAIL, ID, LOGIN, SID
from grader.people.naming import same_name
from grader.people.person import Person

# Columns that identify, with the marks that each may hold.
_EXACT = {
    "ID": (CANVAS, ID, ALSO),
    "SIS User ID": (SID, ID, ALSO),
    "SIS Login ID": (LOGIN, EMAIL, ID, ALSO),
    "Integration ID": (ALSO,),
}
_NAMES = (("Student",), ("LastName", "FirstName"))  # Canvas's importer takes either


def filled(
    file: Path, week: str, scores: Mapping[str, float | str | None], max_score: float, column: str | None,
    people: Mapping[str, Person] | None = None, overwrite: bool = True,
) -> Filled:  # fmt: skip
    """Fill `scores` (None: not final) into the week's column of the export, or into the one that `column` names.

    `people` says who the students are.
    `UsageError` where there is no such column, or its maximum differs from the week's.
    """
    sheet = worksheet.read(file)
    names = next((names for names in _NAMES if set(names) <= set(sheet.header)), None)
    if names is None or not any(name in sheet.header for name in _EXACT):
        raise UsageError(
            f"{file}: not a Canvas gradebook export; its header has no `Student` and `ID`, "
            f"nor `LastName`, `FirstName` and `ID`"
        )
    where = _column(sheet, week, column)
    first = 1
    if "(read only)" in (cell.strip().casefold() for row in sheet.rows[1:4] if row for cell in [row[where]]):
        raise UsageError(f"{file}: Canvas takes no grades for {sheet.header[where]}, which it calls read only")
    possible = next((row for row in sheet.rows[1:4] if row and row[0].strip() == "Points Possible"), None)
    if possible is not None:
        first = sheet.rows.index(possible) + 1
        _check_points(sheet, possible[where], max_score, sheet.header[where])
    rows = [number for number, row in enumerate(sheet.rows) if number >= first and row]
    exact = {sheet.header.index(name): kinds for name, kinds in _EXACT.items() if name in sheet.header}
    matching = worksheet.who_is_who(sheet, rows, exact, [])
    own = [[sheet.rows[row][sheet.header.index(name)] for name in names] for row in rows]
    matching.names.append(
        worksheet.index((same_name(" ".join(name)), row) for name, row in zip(own, rows, strict=True))
    )
    return fill(sheet, where, scores, matching, people, Rules(overwrite))


def _column(sheet: Worksheet, week: str, wanted: str | None) -> int:
    # The names of assignments' columns end in a number, as in `Week 5 (4711)`.
    titles = {number: re.sub(r" \(\d+\)$", "", name) for number, name in enumerate(sheet.header)}
    assignments = {number: title for number, title in titles.items() if title != sheet.header[number]}
    if wanted is not None:
        found = [n for n, title in assignments.items() if wanted in (title, sheet.header[n])]
    else:
        found = [n for n, title in assignments.items() if is_of_week(title, week)]
    if len(found) == 1:
        return found[0]
    there = ", ".join(sheet.header[n] for n in assignments) or "none"
    what = f"no assignment {wanted or week!r}" if not found else f"{len(found)} assignments fit {wanted or week!r}"
    raise UsageError(f"{sheet.file}: {what}; choose one with --column: {there}")


def _check_points(sheet: Worksheet, possible: str, max_score: float, title: str) -> None:
    try:
        points = float(possible)
    except ValueError:  # `(read only)`, or nothing
        return
    if points != max_score:
        raise UsageError(
            f"{sheet.file}: {title} is out of {possible.strip()} points, the week out of {max_score}; "
            f"change the assignment's points in Canvas, and export again"
        )
