"""Reads a table that somebody downloaded, keeps it as it was, and finds students in its rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import UsageError
from grader.intake.tables.decoding import text_of
from grader.intake.tables.rows import cells_of
from grader.people.identity import CANVAS, EMAIL
from grader.people.naming import called, same_name
from grader.people.person import Person

_BLOCK = 16  # rows that Excel writes together


@dataclass
class Worksheet:
    """A CSV file's rows, the first one its header; the rest is kept when it is written again.

    `mark` and `encoding` are as in `Text`. `says` is the line `sep=;` before the header, where a spreadsheet has put
    it, and `said` what was guessed about its text.
    """

    file: Path
    rows: list[list[str]]
    delimiter: str = ","
    newline: str = "\n"
    mark: str = ""
    says: str = ""
    said: tuple[str, ...] = ()
    encoding: str = "utf-8"

    @property
    def header(self) -> list[str]:
        return self.rows[0]

    def text(self) -> str:
        """Return the file's content."""
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, lineterminator=self.newline).writerows(self.rows)
        return self.mark + self.says + out.getvalue()


def read(file: Path) -> Worksheet:
    """Read a worksheet. `UsageError` says what is wrong with it."""
    text = text_of(file)
    cells = cells_of(text.content, str(file))
    rows = [row for _, row in cells.rows]
    if len(rows) < 2 or len(rows[0]) < 2:
        raise UsageError(f"{file}: holds no table with a header and students; export it again")
    _fit(file, rows)
    newline = "\r\n" if "\r\n" in text.content else "\n"
    return Worksheet(file, rows, cells.delimiter, newline, text.mark, cells.says, text.said(file.name), text.encoding)


def _fit(file: Path, rows: list[list[str]]) -> None:
    """Fill up rows that a spreadsheet cut short; `UsageError` where one lacks a cell, or has one below no header.

    Excel leaves out cells at the end that are empty in sixteen rows together, so that all sixteen have one length.
    """
    width = len(rows[0])
    named = max((place for place, name in enumerate(rows[0], 1) if name.strip()), default=0)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        longest = max(map(len, block))
        for number, row in enumerate(block, start + 1):
            if row and (len(row) < min(named, longest) or any(cell.strip() for cell in row[width:])):
                raise UsageError(f"{file}: row {number} has {len(row)} cells, the header {width}; export it again")
            if row:
                row += [""] * (width - len(row))


def who_is_who(
    sheet: Worksheet, rows: Sequence[int], exact: Mapping[int, Sequence[str]], names: Sequence[int]
) -> Matching:
    """Index rows by what a student is called: columns of numbers, logins and addresses first, then columns of names.

    `exact` has the kinds of marks that each column holds, the one first of which nobody has two.
    """
    cells = {column: {row: sheet.rows[row][column].strip() for row in rows} for column in exact}
    return Matching(
        [
            (tuple(exact[column]), index((text.casefold(), row) for row, text in cells[column].items()))
            for column in exact
        ],
        [index([(same_name(sheet.rows[row][column]), row) for row in rows]) for column in names],
        {(exact[column][0], row): text.casefold() for column in exact for row, text in cells[column].items() if text},
    )


@dataclass
class Matching:
    """Rows by key, for each column that identifies; a key of several rows identifies none.

    `cells` has what a row's column says, by the kind of mark and the row.
    """

    exact: list[tuple[tuple[str, ...], Mapping[object, set[int]]]]
    names: list[Mapping[object, set[int]]]
    cells: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def rows_of(self, student: str, person: Person | None = None, by_name: bool = True) -> set[int]:
        """Return the rows that may be a student's, by the first column in which there are any.

        What is known of the person decides first; a row with another number or address is somebody else's. Without
        `by_name` no name decides, since others have it, too.
        """
        for kinds, keys in self.exact if person else ():
            for value in (value for kind in kinds for value in _values(person, kind)):
                if found := keys.get(value.casefold()):
                    return found
        for word in called(student):
            for _, keys in self.exact:
                if found := keys.get(word.strip().casefold()):
                    return found
        names = [person.called, *person.names] if person else [student]
        for keys in self.names if by_name else ():
            for name in names:
                if found := keys.get(same_name(name)):
                    return {row for row in found if not self._is_others(row, person)}
        return set()

    def _is_others(self, row: int, person: Person | None) -> bool:
        for kind in (CANVAS, EMAIL):
            known = [value.casefold() for value in _values(person, kind)]
            if known and self.cells.get((kind, row), known[0]) not in known:
                return True
        return False


def _values(person: Person | None, kind: str) -> list[str]:
    return person.values(kind) if person else []


def index(pairs: Iterable[tuple[object, int]]) -> dict[object, set[int]]:
    """Map each key to its rows; an empty key has none."""
    found: dict[object, set[int]] = {}
    for key, row in pairs:
        if key:
            found.setdefault(key, set()).add(row)
    return found
