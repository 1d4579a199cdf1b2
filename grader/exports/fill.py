"""Fills one column of a worksheet with scores, and names the students that it leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.intake.worksheet import Matching, Worksheet


@dataclass
class Filled:
    """A filled worksheet: the file's new content, how many cells were filled, and who was left out, and why."""

    text: str
    count: int = 0
    left_out: list[str] = field(default_factory=list)


def fill(sheet: Worksheet, column: int, scores: Mapping[str, int | None], matching: Matching) -> Filled:
    """Write whole-number scores into a column; leave out, and name, who is provisional, unknown or ambiguous."""
    filled = Filled("")
    taken: dict[int, list[str]] = {}
    found = {student: matching.rows_of(student) for student in scores}
    for student, rows in found.items():
        if len(rows) == 1:
            taken.setdefault(next(iter(rows)), []).append(student)
    for student, score in scores.items():
        rows = found[student]
        why = _why_not(sheet, column, score, rows, taken)
        if why:
            filled.left_out.append(f"{student}: {why}")
            continue
        sheet.rows[next(iter(rows))][column] = str(score)
        filled.count += 1
    filled.text = sheet.text()
    return filled


def _why_not(
    sheet: Worksheet, column: int, score: int | None, rows: set[int], taken: Mapping[int, Sequence[str]]
) -> str:
    if not rows:
        return f"nobody in {sheet.file.name} is called that"
    if len(rows) > 1:
        return f"{len(rows)} people in {sheet.file.name} are called that; enter this grade by hand"
    row = next(iter(rows))
    if len(taken[row]) > 1:
        return f"row {row + 1} of {sheet.file.name} fits {' and '.join(taken[row])}; enter these grades by hand"
    if score is None:
        return "not graded for good yet"
    if sheet.rows[row][column].strip().upper() == "EX":
        return "excused there"
    return ""
