"""Reads notebooks, texts and pictures as cells, whole; `finding` bounds what is kept of them."""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grader.intake.answers.answers import LARGEST_PICTURE, LONGEST_NAME, Cell, Damaged, Form, Kind, Piece
from grader.intake.answers.headings import sections
from grader.intake.answers.pictures import NoPicture, cleaned

TEXTS, PICTURES = (".md", ".markdown", ".txt", ".rst"), (".png", ".jpg", ".jpeg")
_SHOWN = {"image/png": Form.PNG, "image/jpeg": Form.JPEG}
_KINDS = {"markdown": Kind.MARKDOWN, "code": Kind.CODE, "raw": Kind.TEXT}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

Tagged = tuple[Cell, Sequence[str]]


def notebook_cells(raw: bytes, path: str) -> Iterator[Tagged]:
    """Yield a notebook's cells, each with its tags. Raises `Damaged` where it is no notebook."""
    import nbformat  # noqa: PLC0415 - slow, and most weeks have nothing that a person grades

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(raw.decode("utf-8-sig"), as_version=4, capture_validation_error={})
        for number, cell in enumerate(notebook["cells"], start=1):
            tags = cell.get("metadata", {}).get("tags", [])
            yield _cell(cell, path, number), [tag for tag in tags if isinstance(tag, str)]
    except MemoryError:
        raise
    except Exception as error:  # any JSON at all may come, and nbformat expects its own shapes
        raise Damaged(type(error).__name__) from error


def file_cells(raw: bytes, path: str) -> list[Tagged]:
    """Return the cells of a file that is no module: those of a text, or the one of a picture; none of other files."""
    name = path[-LONGEST_NAME:]
    ending = path.lower()
    if ending.endswith(PICTURES):
        return [(Cell(name, 1, Kind.PICTURE, "", (_picture(raw, name),)), [])]
    if not ending.endswith(TEXTS):
        return []
    text = _lines(raw.decode("utf-8-sig", "replace"))
    return [(Cell(name, number, Kind.MARKDOWN, one), []) for number, one in enumerate(sections(text), start=1)]


def _cell(cell: Mapping[str, Any], path: str, number: int) -> Cell:
    kind, text = _KINDS.get(cell["cell_type"], Kind.TEXT), cell["source"]
    if not isinstance(text, str):
        raise TypeError("a cell's source is no text")
    pieces = [piece for output in cell.get("outputs", []) for piece in _output(output)]
    attached = cell.get("attachments", {})
    pieces += [piece for name, data in attached.items() if f"attachment:{name}" in text for piece in _bundle(data)]
    return Cell(path[-LONGEST_NAME:], number, kind, _lines(text).strip("\n"), tuple(pieces))


def _output(output: Mapping[str, Any]) -> Iterator[Piece]:
    kind = output["output_type"]
    if kind == "stream":
        yield _text(Form.TEXT, output["text"])
    elif kind == "error":
        traceback = "\n".join(map(str, output.get("traceback", [])))
        yield _text(Form.ERROR, traceback or f"{output.get('ename')}: {output.get('evalue')}")
    else:
        yield from _bundle(output["data"])


def _bundle(data: Mapping[str, Any]) -> Iterator[Piece]:
    """Yield the picture of what was put out, else its text: what is put out as a page is no text, and may hold code."""
    pictures = [mime for mime in data if mime.startswith("image/")]
    for mime in [one for one in _SHOWN if one in pictures][:1]:
        try:
            yield _picture(base64.b64decode(_joined(data[mime])), mime)
        except binascii.Error:
            yield Piece(Form.LACKING, "a picture that is damaged")
        return
    if pictures:
        yield Piece(Form.LACKING, f"a picture as {pictures[0][:40]}; PNG and JPEG are shown")
    if "text/plain" in data and not pictures:
        yield _text(Form.TEXT, data["text/plain"])


def _picture(raw: bytes, name: str) -> Piece:
    try:
        if len(raw) > LARGEST_PICTURE:
            raise NoPicture(f"it has {len(raw) / 1e6:.1f} MB, and at most {LARGEST_PICTURE / 1e6:.0f} MB are kept")
        form, content = cleaned(raw)
    except NoPicture as error:
        return Piece(Form.LACKING, f"a picture ({name}): {error}")
    return Piece(form, base64.b64encode(content).decode())


def _text(form: Form, text: Any) -> Piece:
    return Piece(form, _COLOURS.sub("", _lines(_joined(text))).rstrip("\n"))


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(map(str, text))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")
