"""Fills the grades into the grading worksheet that an instructor downloaded from Moodle.

Moodle translates the header. So the column for grades is found by its English name, or named by `--column`; the maximum
is compared only where its column has the English name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from grader.errors import UsageError
from grader.exports.fill import Filled, fill
from grader.intake import worksheet
from grader.intake.tables.participants import number_of
from grader.people.identity import EMAIL, ID
from grader.people.person import Person

GRADE = "Grade"


def filled(
    file: Path, scores: Mapping[str, int | None], max_score: int, column: str | None,
    people: Mapping[str, Person] | None = None,
) -> Filled:  # fmt: skip
    """Fill `scores` (None: not final) into the worksheet as grades; `people` says who the students are.

    `UsageError` where its first column is not as in `Participant 123` and `Teilnehmer/in123`, or its maximum is not the
    week's. The second column is the full name. In any language, a column of e-mail addresses identifies students, too.
    """
    sheet = worksheet.read(file)
    rows = [number for number, row in enumerate(sheet.rows) if number and row]
    numbers = [(number, row) for row in rows if (number := number_of(sheet.rows[row][0]))]
    if len(numbers) < len(rows):
        raise UsageError(f"{file}: not a Moodle grading worksheet; its first column should hold `Participant 123`")
    wanted = column or GRADE
    if wanted not in sheet.header:
        names = ", ".join(sheet.header)
        raise UsageError(f"{file}: there is no column {wanted!r}; name the one for grades with --column: {names}")
    where = sheet.header.index(wanted)
    _check_maximum(file, sheet.rows, max_score)
    addresses = [
        number for number, name in enumerate(sheet.header[:4]) if any("@" in sheet.rows[r][number] for r in rows)
    ]
    matching = worksheet.who_is_who(sheet, rows, {0: (ID,), **dict.fromkeys(addresses, (EMAIL,))}, [1])
    matching.exact.insert(0, (("moodle",), worksheet.index(numbers)))
    return fill(sheet, where, scores, matching, people)


def _check_maximum(file: Path, rows: list[list[str]], max_score: int) -> None:
    if "Maximum Grade" not in rows[0]:
        return
    column = rows[0].index("Maximum Grade")
    for row in rows[1:]:
        text = row[column].replace(",", ".") if row else ""
        if re.fullmatch(r"\d+(\.\d+)?", text) and float(text) != max_score:
            raise UsageError(
                f"{file}: the maximum grade is {row[column]}, the week's {max_score}; "
                f"change the assignment's maximum in Moodle, and download the worksheet again"
            )
