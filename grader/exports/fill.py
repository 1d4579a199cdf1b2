"""Fills one column of a worksheet with scores, and names the students that it leaves out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.intake.worksheet import Matching, Worksheet
from grader.people.naming import same_name
from grader.people.person import Person


@dataclass
class Filled:
    """A filled worksheet: the file's new content, how many cells were filled, and who was left out, and why."""

    text: str
    count: int = 0
    left_out: list[str] = field(default_factory=list)


def fill(
    sheet: Worksheet, column: int, scores: Mapping[str, int | None], matching: Matching,
    people: Mapping[str, Person] | None = None,
) -> Filled:  # fmt: skip
    """Write whole-number scores into a column; leave out, and name, who is provisional, unknown or ambiguous.

    With `people`, a name that two of them have finds nobody: only a number or an address can.
    """
    filled = Filled("")
    taken: dict[int, list[str]] = {}
    known = people or {}
    namesakes = Counter(same_name(person.called) for person in known.values() if not person.is_gone)
    shared = {name for name, person in known.items() if namesakes[same_name(person.called)] > 1}
    found = {student: matching.rows_of(student, known.get(student), student not in shared) for student in scores}
    for student, rows in found.items():
        if len(rows) == 1:
            taken.setdefault(next(iter(rows)), []).append(student)
    for student, score in scores.items():
        rows = found[student]
        why = _why_not(sheet, column, score, rows, taken)
        if not rows and student in shared:
            why = f"others are called that, too, and {sheet.file.name} tells nothing more; enter this grade by hand"
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
