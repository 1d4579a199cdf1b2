"""Reads a table's rows from CSV as spreadsheets write it: any usual delimiter, `sep=`, and empty columns at the end."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.intake.tables.decoding import text_of

_DELIMITERS = ",;\t"
_SEP = re.compile(r'"?sep=([^\w\s"]|\t)"?[,;\t]*(?:\r\n?|\n)', re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """A row of a table: its cells, one for each column of the header, and the line of the file on which it ends."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Cells:
    """All that a table's text holds: the line `sep=;` before the header, the delimiter, and the rows as they are.

    Each row is the line on which it ends and its cells; an empty line has none.
    """

    says: str
    delimiter: str
    rows: Sequence[tuple[int, list[str]]]


def cells_of(text: str, name: str = "") -> Cells:
    """Take a table's text apart, whatever its delimiter. `UsageError` names the file and line where that cannot be."""
    said = _SEP.match(text)
    says, delimiter = (said[0], said[1]) if said else ("", "")
    rest = text.removeprefix(says)
    # A platform's worksheet may hold whole texts, with pictures in them, in one cell.
    csv.field_size_limit(max(csv.field_size_limit(), len(rest)))
    delimiter = delimiter or _delimiter_of(rest.lstrip())
    reader = csv.reader(io.StringIO(rest, newline=""), delimiter=delimiter, strict=True)
    before = 1 if says else 0
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            rows.append((reader.line_num + before, cells))
    except csv.Error as error:
        where = f"{name}:{reader.line_num + before}" if name else f"line {reader.line_num + before}"
        raise UsageError(f"{where}: not a row of a table ({error}); export it again") from None
    return Cells(says, delimiter, rows)


@dataclass(frozen=True)
class Table:
    """A table's header and its rows, as wide as the header; `said` is what was guessed about its text."""

    header: Row
    rows: Sequence[Row]
    said: tuple[str, ...] = ()


def read_rows(file: Path) -> Table:
    """Read a table's header and its rows; empty rows are left out, and empty columns at the end.

    `UsageError` names the line where a cell stands below no header.
    """
    text = text_of(file)
    kept = [Row(line, _trimmed(cells)) for line, cells in cells_of(text.content, str(file)).rows]
    rows = [row for row in kept if row.cells]
    if len(rows) < 2:
        raise UsageError(f"{file}: holds no table with a header and students; export it again")
    width = len(rows[0].cells)
    return Table(rows[0], [_fitted(file, row, width) for row in rows[1:]], text.said(file.name))


def _delimiter_of(text: str) -> str:
    """Return the delimiter that divides the first line into the most cells; a Mac's old files end lines by CR alone."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter), [])))


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    kept = [cell.strip() for cell in cells]
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def _fitted(file: Path, row: Row, width: int) -> Row:
    """Fill up a short row; a table of one column needs no quotes around `Silva, Ana`."""
    if width == 1:
        return Row(row.line, (", ".join(row.cells),))
    if len(row.cells) > width:
        raise UsageError(
            f"{file}:{row.line}: {row.cells[width]!r} stands in column {width + 1}, and the first line names {width}; "
            f"put a cell that holds a delimiter into quotes, or name its column"
        )
    return Row(row.line, row.cells + ("",) * (width - len(row.cells)))
