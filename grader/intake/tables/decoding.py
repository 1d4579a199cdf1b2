"""Reads the text of tables that people hand over, in whatever encoding a spreadsheet has saved them: the only place."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.escape import terminal

MARK = "\ufeff"  # by which spreadsheets know Unicode
LONGEST = 60  # characters of a cell that a note shows
_CELLS = re.compile(r'[^,;\t"\r\n]+')
_LETTERS = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Text:
    """A table's text without its mark.

    `mark` and `encoding` are those in which it is written again: as it came, or UTF-8 with the mark by which
    spreadsheets know it. `guess` is a cell that shows how the text was read where nothing tells the encoding.
    """

    content: str
    mark: str = ""
    encoding: str = "utf-8"
    guess: str = ""

    def said(self, file: str = "") -> tuple[str, ...]:
        """Say what was guessed, with a cell by which people see whether it is right."""
        if not self.guess:
            return ()
        before = f"{file}: " if file else ""
        return (f"{before}read as Windows-1252: {terminal(self.guess)}; save as UTF-8 if that is wrong",)


def text_of(file: Path) -> Text:
    """Read a table's text. `UsageError` says what is wrong with the file."""
    try:
        return decoded(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror})") from None
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None


def decoded(raw: bytes) -> Text:
    """Return the text of UTF-8 and UTF-16, with or without a mark, and of Windows-1252, which spreadsheets save.

    `UsageError` where it is none of them.
    """
    if raw.startswith(b"PK\3\4"):
        raise UsageError("this is a workbook or a zip, no CSV; save it in the spreadsheet as `CSV UTF-8`")
    encoding = _encoding_of(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return _guessed(raw) if encoding == "utf-8" else _refused()
    if "\0" in text:  # bytes that only look like text
        return _refused()
    content = text.lstrip(MARK)  # one by each program that saved it
    return Text(content, text[: len(text) - len(content)], encoding)


def _encoding_of(raw: bytes) -> str:
    """Tell the encoding by its mark, or by the empty half of the first letter, which a header's is in UTF-16."""
    if raw.startswith(codecs.BOM_UTF16_BE) or raw[:1] == b"\0":
        return "utf-16-be"
    return "utf-16-le" if raw.startswith(codecs.BOM_UTF16_LE) or raw[1:2] == b"\0" else "utf-8"


def _guessed(raw: bytes) -> Text:
    """Read what is no UTF-8 as Windows-1252, unless most of its letters are UTF-8's: then it is UTF-8 and damaged."""
    letters = _LETTERS.findall(raw)
    if 2 * len(letters) > len(letters) + len(_HIGH.findall(_LETTERS.sub(b"", raw))):
        raise UsageError("this is UTF-8 with damaged letters; export it again, or save it as `CSV UTF-8`")
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        return _refused()
    return _refused() if _CONTROLS.search(text) else Text(text, MARK, guess=_telling(text))


def _refused() -> Text:
    raise UsageError("neither UTF-8, UTF-16 nor Windows-1252; export it again, or save it as `CSV UTF-8`")


def _telling(text: str) -> str:
    """Return the cell that shows best how a text was read: the first below the header with a letter beyond ASCII."""
    header, _, rows = text.partition("\n")
    cells: list[str] = [cell.strip() for part in (rows, header) for cell in _CELLS.findall(part) if not cell.isascii()]
    lettered = (cell for cell in cells if any(char.isalpha() and not char.isascii() for char in cell))
    cell = next(lettered, cells[0])
    if len(cell) <= LONGEST:
        return cell
    place = next(number for number, char in enumerate(cell) if not char.isascii())
    return cell[max(0, place - LONGEST // 2) :][:LONGEST]
