"""Fills one column of a worksheet, and names the students that it leaves out and the cells that held something else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from grader.escape import terminal
from grader.intake.worksheet import Matching, Worksheet
from grader.people.naming import same_name
from grader.people.person import Person

LONGEST = 40  # characters of a cell that a line shows
# As a course in another language calls it in the titles of its columns.
_WEEK = "(?:week|woche|semaine|semana|settimana|setmana|vecka|uke|uge|viikko)"


@dataclass
class Filled:
    """A filled worksheet: the file's new content, how many cells have what was to go there, and the lines to show.

    `left_out` names who was left out, and why, and `replaced` whose cell held something else before. `said` is what was
    guessed about the worksheet's text.
    """

    text: str
    count: int = 0
    left_out: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    said: Sequence[str] = ()
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Rules:
    """How a column is filled: whether what is there may be replaced, what to call it, and rows that are refused.

    `refused` has the reasons of the platform by the row. `sign` stands before decimal places.
    """

    overwrite: bool = False
    what: str = "grade"
    refused: Mapping[int, str] = field(default_factory=dict)
    sign: str = "."

    @property
    def by_hand(self) -> str:
        """What remains to be done where nothing tells whose a row is."""
        return f"enter this {self.what} by hand"


def fill(
    sheet: Worksheet, column: int, values: Mapping[str, float | str | None], matching: Matching,
    people: Mapping[str, Person] | None = None, rules: Rules | None = None,
) -> Filled:  # fmt: skip
    """Write values into a column; leave out, and name, who is provisional (None), unknown, ambiguous or refused.

    With `people`, a name that two of them have finds nobody: only a number or an address can.
    """
    rules = rules or Rules(overwrite=True)
    filled = Filled("", said=sheet.said, encoding=sheet.encoding)
    taken: dict[int, list[str]] = {}
    known = people or {}
    shared = namesakes(known.values())
    found = {student: matching.rows_of(student, known.get(student), student not in shared) for student in values}
    for student, rows in found.items():
        if len(rows) == 1:
            taken.setdefault(next(iter(rows)), []).append(student)
    for student, value in values.items():
        rows = found[student]
        why = _why_not(sheet, column, value, rows, taken, rules)
        if not rows and student in shared:
            why = f"others are called that, too, and {sheet.file.name} tells nothing more; {rules.by_hand}"
        if why:
            filled.left_out.append(f"{student}: {why}")
            continue
        _put(sheet, column, next(iter(rows)), value, student, filled, rules)
    filled.text = sheet.text()
    return filled


def is_of_week(title: str, week: str) -> bool:
    """Tell whether a column's title names a week, as in `Week 5 (4711)`, `Woche 05` or `5. Woche`.

    A week that is called otherwise, such as `lab2`, is named by that word alone; one without a number by none.
    """
    named = re.fullmatch(r"(\D*?)[ _-]?0*(\d+)", week)
    if named is None:
        return False
    word = _WEEK if re.fullmatch(_WEEK, named[1], re.IGNORECASE) else re.escape(named[1])
    number = f"0*{named[2]}"
    return bool(re.search(rf"(?i)(?:\b{word}[ _-]?{number}\b|\b{number}\. ?{word}\b)(?! state$)", title.strip()))


def namesakes(people: Iterable[Person]) -> Collection[str]:
    """Return the people whose name somebody else has, too."""
    present = [person for person in people if not person.is_gone]
    count = Counter(same_name(person.called) for person in present)
    return {person.name for person in present if count[same_name(person.called)] > 1}


def _put(
    sheet: Worksheet, column: int, row: int, value: float | str | None, student: str, filled: Filled, rules: Rules
) -> None:
    before = sheet.rows[row][column]
    filled.count += 1
    if _is_same(before, str(value)):
        return
    text = value if isinstance(value, str) else str(value).replace(".", rules.sign)
    if before.strip():
        filled.replaced.append(f"{student}: {_shown(before)} → {_shown(text)}")
    sheet.rows[row][column] = text


def _why_not(
    sheet: Worksheet, column: int, value: float | str | None, rows: set[int], taken: Mapping[int, Sequence[str]],
    rules: Rules,
) -> str:  # fmt: skip
    if not rows:
        return f"nobody in {sheet.file.name} is called that"
    if len(rows) > 1:
        return f"{len(rows)} people in {sheet.file.name} are called that; {rules.by_hand}"
    row = next(iter(rows))
    if len(taken[row]) > 1:
        return f"row {row + 1} of {sheet.file.name} fits {' and '.join(taken[row])}; {rules.by_hand}"
    if value is None:
        return "not graded for good yet"
    before = sheet.rows[row][column]
    if before.strip().upper() == "EX":
        return "excused there"
    if row in rules.refused:
        return rules.refused[row]
    if before.strip() and not rules.overwrite and not _is_same(before, str(value)):
        return f"has a {rules.what} there, {_shown(before)}, and not {_shown(str(value))}; --overwrite replaces it"
    return ""


def _is_same(before: str, value: str) -> bool:
    """Tell whether a cell has a value already; `87.00` and `87,0` are 87."""
    try:
        return float(before.strip().replace(",", ".")) == float(value)
    except ValueError:
        return before == value


def _shown(text: str) -> str:
    line = terminal(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
