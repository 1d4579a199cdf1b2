"""Reads a table that somebody downloaded, keeps it as it was, and finds students in its rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.intake.tables.rows import delimiter_of, said_delimiter
from grader.people.naming import called, same_name


@dataclass
class Worksheet:
    """A CSV file's rows, the first one its header; the rest is kept when it is written again.

    `says` is the line `sep=;` before the header, where a spreadsheet has put it.
    """

    file: Path
    rows: list[list[str]]
    delimiter: str = ","
    newline: str = "\n"
    bom: bool = False
    says: str = ""

    @property
    def header(self) -> list[str]:
        return self.rows[0]

    def text(self) -> str:
        """Return the file's content."""
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, lineterminator=self.newline).writerows(self.rows)
        return ("\ufeff" if self.bom else "") + self.says + out.getvalue()


def read(file: Path) -> Worksheet:
    """Read a worksheet, UTF-8 with commas, semicolons or tabs. `UsageError` says what is wrong with it."""
    try:
        raw = file.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file}: not in UTF-8; export it again, without opening it in a spreadsheet first") from None
    marked = raw.removeprefix("\ufeff")
    says, delimiter = said_delimiter(marked)
    text = marked.removeprefix(says)
    delimiter = delimiter or delimiter_of(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UsageError(f"{file}: not a table ({error}); export it again") from None
    if len(rows) < 2 or len(rows[0]) < 2:
        raise UsageError(f"{file}: holds no table with a header and students; export it again")
    for number, row in enumerate(rows, 1):
        if row and len(row) != len(rows[0]):
            raise UsageError(f"{file}: row {number} has {len(row)} cells, the header {len(rows[0])}; export it again")
    return Worksheet(file, rows, delimiter, "\r\n" if "\r\n" in text else "\n", raw != marked, says)


def who_is_who(sheet: Worksheet, rows: Sequence[int], exact: Sequence[int], names: Sequence[int]) -> Matching:
    """Index rows by what a student is called: `exact` columns of numbers and logins first, then columns of names."""
    return Matching(
        [index([(sheet.rows[row][column].strip(), row) for row in rows]) for column in exact],
        [index([(same_name(sheet.rows[row][column]), row) for row in rows]) for column in names],
    )


@dataclass
class Matching:
    """Rows by key, for each column that identifies; a key of several rows identifies none."""

    exact: list[Mapping[object, set[int]]]
    names: list[Mapping[object, set[int]]]

    def rows_of(self, student: str) -> set[int]:
        """Return the rows that may be a student's, by the first column in which there are any."""
        exact = [(keys, name) for name in called(student) for keys in self.exact]
        for keys, key in [*exact, *((keys, same_name(student)) for keys in self.names)]:
            found = keys.get(key)
            if found:
                return found
        return set()


def index(pairs: Iterable[tuple[object, int]]) -> dict[object, set[int]]:
    """Map each key to its rows; an empty key has none."""
    found: dict[object, set[int]] = {}
    for key, row in pairs:
        if key:
            found.setdefault(key, set()).add(row)
    return found
