"""Fills the grades into the grading worksheet that an instructor downloaded from Moodle.

Moodle translates the header. So the column for grades is found by its English name, by what stands behind it (the
maximum, the same number in each row, and then whether the grade can be changed, a yes or no), or named by `--column`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from grader.errors import UsageError
from grader.exports.worksheets.fill import Filled, Rules, fill
from grader.intake import worksheet
from grader.intake.tables.participants import number_of
from grader.intake.worksheet import Matching, Worksheet
from grader.people.identity import EMAIL, ID
from grader.people.person import Person

GRADE = "Grade"
MAXIMUM = "Maximum Grade"
CHANGEABLE = "Grade can be changed"
COMMENTS = "Feedback comments"

_NUMBER = re.compile(r"\d+([.,]\d+)?")
# Moodle's word for no in its languages, as that column has it.
_NO = {
    "no", "nein", "non", "nee", "não", "nao", "nej", "nei", "ei", "ne", "nie", "nem", "nu", "нет", "не", "ні", "όχι",
    "hayır", "xeyr", "לא", "لا", "خیر", "いいえ", "否", "아니오", "아니요", "không", "ไม่", "tidak", "nē", "ez",
    "नहीं", "না", "არა", "ոչ", "үгүй", "жоқ",
}  # fmt: skip


def filled(
    file: Path, scores: Mapping[str, float | str | None], max_score: float, column: str | None,
    people: Mapping[str, Person] | None = None, overwrite: bool = True,
) -> Filled:  # fmt: skip
    """Fill `scores` (None: not final) into the worksheet as grades; `people` says who the students are.

    `UsageError` where the file is no worksheet, or its maximum is not the week's.
    """
    sheet, matching = read(file)
    most = _maximum_column(sheet)
    where = _grade_column(file, sheet, column, most)
    if most is not None:
        _check_maximum(file, sheet.rows, most, max_score)
    return fill(sheet, where, scores, matching, people, Rules(overwrite, refused=locked(sheet)))


def _grade_column(file: Path, sheet: Worksheet, wanted: str | None, most: int | None) -> int:
    name = wanted or GRADE
    if name in sheet.header:
        return sheet.header.index(name)
    if wanted is None and most is not None:
        return most - 1
    names = ", ".join(sheet.header)
    raise UsageError(f"{file}: there is no column {name!r}; name the one for grades with --column: {names}")


def _maximum_column(sheet: Worksheet) -> int | None:
    """Return the column of the maximum: by its English name, or as the only one with such cells and a yes or no behind.

    The first columns say who it is.
    """
    if MAXIMUM in sheet.header:
        return sheet.header.index(MAXIMUM)
    columns = list(zip(*(row for row in sheet.rows[1:] if row), strict=False))
    found = [n for n in range(3, len(columns) - 1) if _is_one_number(columns[n]) and _is_yes_or_no(columns[n + 1])]
    return found[0] if len(found) == 1 else None


def _is_one_number(cells: Collection[str]) -> bool:
    return len(set(cells)) == 1 and all(_NUMBER.fullmatch(cell.strip()) for cell in cells)


def _is_yes_or_no(cells: Iterable[str]) -> bool:
    found = {cell.strip().casefold() for cell in cells}
    return 0 < len(found) <= 2 and all(cell and not any(map(str.isdecimal, cell)) for cell in found)


def read(file: Path) -> tuple[Worksheet, Matching]:
    """Read a grading worksheet, with what tells whose each row is.

    `UsageError` where its first column is not as in `Participant 123` and `Teilnehmer/in123`. The second column is the
    full name. In any language, a column of e-mail addresses identifies students, too.
    """
    sheet = worksheet.read(file)
    rows = [number for number, row in enumerate(sheet.rows) if number and row]
    numbers = [(number, row) for row in rows if (number := number_of(sheet.rows[row][0]))]
    if len(numbers) < len(rows):
        raise UsageError(f"{file}: not a Moodle grading worksheet; its first column should hold `Participant 123`")
    addresses = [
        number for number, name in enumerate(sheet.header[:4]) if any("@" in sheet.rows[r][number] for r in rows)
    ]
    matching = worksheet.who_is_who(sheet, rows, {0: (ID,), **dict.fromkeys(addresses, (EMAIL,))}, [1])
    matching.exact.insert(0, (("moodle",), worksheet.index(numbers)))
    return sheet, matching


def locked(sheet: Worksheet) -> dict[int, str]:
    """Return the rows whose grade Moodle does not change, whatever is uploaded, with the reason.

    The column that says so is the one behind the maximum, wherever its header is translated; the marks of a locked
    grade are the words for no.
    """
    column = _changeable_column(sheet)
    if column is None:
        return {}
    return {
        number: "Moodle has locked this grade, and would refuse another"
        for number, row in enumerate(sheet.rows)
        if number and row and row[column].strip().casefold() in _NO
    }


def comments_column(sheet: Worksheet) -> int | None:
    """Return the column of feedback comments, whatever its name in that language; None where nothing tells.

    It is the last one, and some of its cells are empty; the one before it, when a grade was changed, has no empty ones.
    """
    if COMMENTS in sheet.header:
        return sheet.header.index(COMMENTS)
    changeable, last = _changeable_column(sheet), len(sheet.header) - 1
    cells = [row[last].strip() for row in sheet.rows[1:] if row]
    return last if changeable is not None and last >= changeable + 3 and not all(cells) else None


def _changeable_column(sheet: Worksheet) -> int | None:
    if CHANGEABLE in sheet.header:
        return sheet.header.index(CHANGEABLE)
    found = [n for n in range(2, len(sheet.header)) if _is_answers(row[n] for row in sheet.rows[1:] if row)]
    if len(found) == 1:
        return found[0]
    most = _maximum_column(sheet)
    return most + 1 if most is not None and most + 1 < len(sheet.header) else None


def _is_answers(cells: Iterable[str]) -> bool:
    found = {cell.strip().casefold() for cell in cells}
    return bool(found) and len(found) <= 2 and bool(found & _NO)


def _check_maximum(file: Path, rows: list[list[str]], column: int, max_score: float) -> None:
    for row in rows[1:]:
        text = row[column].strip().replace(",", ".") if row else ""
        if _NUMBER.fullmatch(text) and float(text) != max_score:
            raise UsageError(
                f"{file}: the maximum grade is {row[column]}, the week's {max_score}; "
                f"change the assignment's maximum in Moodle, and download the worksheet again"
            )
