"""Fills a column of any other table that names the students: Blackboard's, Brightspace's, or one of the teacher's own.

The columns that say who it is are found by the names that rosters have them by, and the one for grades by the week in
its title, as in `Week 5 [Total Pts: 100 Score] |4711` and `Week 5 Points Grade <Numeric MaxPoints:100>`, or by
`--column`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from grader.errors import UsageError
from grader.exports.worksheets.fill import Filled, Rules, fill, is_of_week
from grader.intake import worksheet
from grader.intake.tables.columns import TELLING, find_columns
from grader.intake.worksheet import Worksheet
from grader.people.identity import ALSO, CANVAS, EMAIL, ID, LOGIN, SID
from grader.people.naming import same_name
from grader.people.person import Person

_KINDS = {"id": (ID, SID, CANVAS, ALSO), "login": (LOGIN, ID, EMAIL), "email": (EMAIL,), "also": (ALSO, ID, SID)}
_MOST = re.compile(r"(?:Total Pts|MaxPoints)\s*:\s*(\d+(?:[.,]\d+)?)", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+([.,])\d+")


def filled(
    file: Path, week: str, scores: Mapping[str, float | str | None], max_score: float, column: str | None,
    people: Mapping[str, Person] | None = None, overwrite: bool = True,
) -> Filled:  # fmt: skip
    """Fill `scores` (None: not final) into the week's column, or the one that `column` names.

    `UsageError` where no column says who the students are, where there is no such column, or its maximum differs.
    """
    sheet = worksheet.read(file)
    who = find_columns(file, 1, sheet.header, TELLING)
    where = _column(sheet, week, column, set(who.values()))
    _check_points(sheet, where, max_score)
    rows = [number for number, row in enumerate(sheet.rows) if number and any(row)]
    exact = {who[name]: kinds for name, kinds in _KINDS.items() if name in who}
    # Brightspace writes `#asilva`, so that no spreadsheet takes a login for a number.
    bare = Worksheet(file, [[cell.removeprefix("#") for cell in row] for row in sheet.rows])
    matching = worksheet.who_is_who(bare, rows, exact, [])
    names = [[sheet.rows[row][who[part]] for part in ("name", "first", "last") if part in who] for row in rows]
    pairs = zip(names, rows, strict=True)
    matching.names.append(worksheet.index((same_name(" ".join(name)), row) for name, row in pairs))
    return fill(sheet, where, scores, matching, people, Rules(overwrite, sign=_sign(sheet)))


def _sign(sheet: Worksheet) -> str:
    """Return a comma where the table has semicolons because numbers have commas; a spreadsheet makes a date of 1.5."""
    numbers = [found[1] for row in sheet.rows for cell in row if (found := _NUMBER.fullmatch(cell.strip()))]
    return "," if sheet.delimiter == ";" and "." not in numbers else "."


def _column(sheet: Worksheet, week: str, wanted: str | None, who: set[int]) -> int:
    titles = {place: name for place, name in enumerate(sheet.header) if name.strip() and place not in who}
    if wanted is not None:
        found = [place for place, title in titles.items() if title.strip() == wanted.strip()]
    else:
        found = [place for place, title in titles.items() if is_of_week(title, week)]
    if len(found) == 1:
        return found[0]
    what = f"no column {wanted or week!r}" if not found else f"{len(found)} columns fit {wanted or week!r}"
    there = ", ".join(titles.values()) or "none"
    raise UsageError(f"{sheet.file}: {what}; choose one with --column: {there}")


def _check_points(sheet: Worksheet, where: int, max_score: float) -> None:
    title = sheet.header[where]
    most = _MOST.search(title)
    if most and float(most[1].replace(",", ".")) != max_score:
        raise UsageError(
            f"{sheet.file}: {title} is out of {most[1]} points, the week out of {max_score}; "
            f"change its points there, and download the table again"
        )
