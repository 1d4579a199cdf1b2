"""Holds the answers of a submission as plain data, and packs them for the gradebook; unpacking trusts nothing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

MOST_CELLS = 1_000
MOST_PIECES = 50  # of a cell
LONGEST, LONGEST_NAME = 20_000, 300  # characters of a text, and of a file's name
MOST_TEXT = 400_000  # characters of a submission
MOST_PICTURES = 2_000_000  # bytes of a submission
LARGEST_PICTURE = 1_000_000
_MOST_PACKED = 4_000_000
_MOST_UNPACKED = 16_000_000
_MOST_PARTS = 100
_HALF = 32  # characters of a digest


class Damaged(ValueError):
    """These are no answers of ours."""


class Kind(StrEnum):
    """What a cell is."""

    MARKDOWN = "markdown"
    CODE = "code"
    TEXT = "text"
    PICTURE = "picture"


class Form(StrEnum):
    """What a piece of a cell's output is. `PNG` and `JPEG` are in base64; `LACKING` says what is not shown, and why."""

    TEXT = "text"
    ERROR = "error"
    PNG = "png"
    JPEG = "jpeg"
    LACKING = "lacking"


@dataclass(frozen=True)
class Piece:
    """A piece of what a cell put out, or a picture."""

    form: Form
    content: str

    @property
    def is_picture(self) -> bool:
        """Tell whether it is a picture that can be shown."""
        return self.form in (Form.PNG, Form.JPEG)


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook, or a file that is no module; `number` counts a notebook's cells from 1.

    `parts` are those that it belongs to. `is_given` where the text is as it was handed out.
    """

    file: str
    number: int
    kind: Kind
    text: str
    pieces: tuple[Piece, ...] = ()
    parts: tuple[str, ...] = ()
    is_given: bool = False

    @property
    def is_own(self) -> bool:
        """Tell whether anything of it is the student's."""
        return bool(self.pieces) or (not self.is_given and bool(self.text.strip()))


@dataclass(frozen=True)
class Answers:
    """What was found: the parts that were looked for, and the cells that belong to any.

    Where no cell of the student's belongs to a part, all of their cells are here. `work` tells what was handed in from
    anything else, whatever the course says of its parts.
    """

    parts: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    work: str = ""

    def of(self, part: str) -> tuple[tuple[Cell, ...], bool]:
        """Return the cells of a part, and whether they are all that there are, as none belongs to it."""
        own = tuple(cell for cell in self.cells if part in cell.parts)
        if any(cell.is_own for cell in own):
            return own, False
        return (self.cells, True) if part in self.parts else ((), False)


def packed(answers: Answers) -> tuple[bytes, str]:
    """Return answers for the gradebook, with their digest; nothing where no cell is there.

    Two digests begin alike, in their first half, where the same was handed in, and the course finds it otherwise.
    """
    if not answers.cells:
        return b"", ""
    text = json.dumps(to_plain(answers), sort_keys=True).encode()
    return zlib.compress(text), f"{answers.work[:_HALF]}{hashlib.sha256(text).hexdigest()}"[: 2 * _HALF]


def work_of(cells: Iterable[Cell]) -> str:
    """Return what tells cells that were handed in from all others."""
    plain = [
        [cell.file, cell.number, cell.kind, cell.text, [[*asdict(one).values()] for one in cell.pieces]]
        for cell in cells
    ]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def unpacked(raw: bytes) -> Answers:
    """Make them again. Raises `Damaged` for anything else than `packed` gives."""
    try:
        if len(raw) > _MOST_PACKED:
            raise ValueError("too large")
        return from_plain(json.loads(zlib.decompressobj().decompress(raw, _MOST_UNPACKED)))
    except (zlib.error, ValueError, RecursionError):
        raise Damaged("the answers are damaged") from None


def to_plain(answers: Answers) -> dict[str, Any]:
    """Turn answers into plain data."""
    cells = [asdict(cell) for cell in answers.cells]
    return {"parts": list(answers.parts), "cells": cells, "work": answers.work}


def from_plain(data: Any) -> Answers:
    """Make them again. Raises `Damaged` for anything else than `to_plain` gives."""
    try:
        cells = tuple(map(_cell, _list(data["cells"], MOST_CELLS)))
        found = Answers(_texts(data["parts"], _MOST_PARTS), cells, _digest(data.get("work", "")))
    except (AttributeError, TypeError, LookupError, ValueError):
        raise Damaged("its answers cannot be understood") from None
    pieces = [piece for cell in found.cells for piece in cell.pieces]
    pictures = sum(len(one.content) for one in pieces if one.is_picture)
    texts = sum(len(cell.text) for cell in found.cells)
    texts += sum(len(one.content) for one in pieces if not one.is_picture)
    if 3 * pictures > 4 * MOST_PICTURES + 12 * MOST_CELLS or texts > 2 * MOST_TEXT:
        raise Damaged("its answers are more than can be")
    return found


def _cell(data: Any) -> Cell:
    pieces = tuple(_piece(one) for one in _list(data["pieces"], MOST_PIECES))
    number, is_given = data["number"], data["is_given"]
    if type(number) is not int or type(is_given) is not bool:
        raise TypeError("no number")
    text, parts = _text(data["text"], LONGEST), _texts(data["parts"], _MOST_PARTS)
    return Cell(_text(data["file"], LONGEST_NAME), number, Kind(data["kind"]), text, pieces, parts, is_given)


def _piece(data: Any) -> Piece:
    form = Form(data["form"])
    if form in (Form.PNG, Form.JPEG):
        content = _text(data["content"], 2 * LARGEST_PICTURE)
        try:
            base64.b64decode(content, validate=True)
        except binascii.Error:
            raise ValueError("no picture") from None
        return Piece(form, content)
    return Piece(form, _text(data["content"], LONGEST))


def _list(data: Any, most: int) -> list[Any]:
    if not isinstance(data, list | tuple) or len(data) > most:
        raise ValueError("no list, or too long")
    return [*data]


def _texts(data: Any, most: int) -> tuple[str, ...]:
    return tuple(_text(one, LONGEST) for one in _list(data, most))


def _digest(value: Any) -> str:
    if not re.fullmatch(r"(?:[0-9a-f]{64})?", _text(value, 2 * _HALF)):
        raise ValueError("no digest")
    return str(value)


def _text(value: Any, most: int) -> str:
    if type(value) is not str or len(value) > most:
        raise TypeError("no text, or too long")
    return value
