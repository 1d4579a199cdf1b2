"""Reads a table's rows from CSV as spreadsheets write it: any usual delimiter, `sep=`, and empty columns at the end."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError

DELIMITERS = ",;\t"
_SEP = re.compile(r'"?sep=([^\w\s"]|\t)"?[,;\t]*(?:\r\n?|\n)', re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """A row of a table: its cells, one for each column of the header, and the line of the file on which it ends."""

    line: int
    cells: tuple[str, ...]


def text_of(file: Path) -> str:
    """Read a table's text, UTF-8 or UTF-16, which need not have its mark. `UsageError` says what is wrong with it."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from None
    try:
        text = raw.decode(encoding_of(raw))
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # bytes that only look like text
        raise UsageError(
            f"{file}: not in UTF-8; export it again, without opening it in a spreadsheet first, or save it there as "
            f"`CSV UTF-8`"
        )
    return text


def encoding_of(raw: bytes) -> str:
    """Tell the encoding by its mark, or by the empty half of the first letter, which a header's is in UTF-16."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if raw[:1] == b"\0":
        return "utf-16-be"
    return "utf-16-le" if raw[1:2] == b"\0" else "utf-8"


def said_delimiter(text: str) -> tuple[str, str]:
    """Split off the line `sep=;` with which spreadsheets say their delimiter; return that line and the delimiter."""
    said = _SEP.match(text)
    return (said[0], said[1]) if said else ("", "")


def delimiter_of(text: str) -> str:
    """Return the delimiter that divides the first line into the most cells; a Mac's old files end lines by CR alone."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    if len(first) > csv.field_size_limit():  # no table begins like this, and whoever reads its rows says so
        return DELIMITERS[0]
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter), [])))


def read_rows(file: Path) -> tuple[Row, list[Row]]:
    """Read a table's header and its rows; empty rows are left out, and empty columns at the end.

    `UsageError` names the line where a cell stands below no header.
    """
    text = text_of(file).removeprefix("\ufeff")
    before, delimiter = said_delimiter(text)
    rows = _cells(file, text.removeprefix(before), delimiter, 1 if before else 0)
    if len(rows) < 2:
        raise UsageError(f"{file}: holds no table with a header and students; export it again")
    width = len(rows[0].cells)
    return rows[0], [_fitted(file, row, width) for row in rows[1:]]


def _cells(file: Path, text: str, delimiter: str, lines_before: int) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or delimiter_of(text.lstrip()), strict=True)
    found: list[Row] = []
    try:
        for cells in reader:
            kept = _trimmed(cells)
            if kept:
                found.append(Row(reader.line_num + lines_before, kept))
    except csv.Error as error:
        line = reader.line_num + lines_before
        raise UsageError(f"{file}:{line}: not a row of a table ({error}); export it again") from None
    return found


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
