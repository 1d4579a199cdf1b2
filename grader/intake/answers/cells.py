"""Reads notebooks, texts and pictures as cells, whole; `finding` bounds what is kept of them."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from grader.errors import UsageError
from grader.intake.answers.answers import LARGEST_PICTURE, LONGEST_NAME, Cell, Form, Kind, Piece
from grader.intake.answers.headings import sections
from grader.intake.answers.pictures import NoPicture, cleaned
from grader.intake.notebook.cells import NoNotebook, cells_in
from grader.intake.tables.decoding import decoded

TEXTS, PICTURES = (".md", ".markdown", ".txt", ".rst"), (".png", ".jpg", ".jpeg")
# What people write answers in, and nothing here takes apart; it is named, so that nobody takes it for no answer.
DOCUMENTS = tuple(f".{one}" for one in (
    "pdf", "doc", "docx", "odt", "rtf", "tex", "pages", "ppt", "pptx", "gif", "webp", "bmp",
    "tif", "tiff", "heic",
))  # fmt: skip
_SHOWN = {"image/png": Form.PNG, "image/jpeg": Form.JPEG}
_KINDS = {"markdown": Kind.MARKDOWN, "code": Kind.CODE, "raw": Kind.TEXT}
_WRITTEN = re.compile(r"data:(image/[a-z0-9.+-]{1,40});base64,([a-z0-9+/=]+)", re.IGNORECASE)
_ATTACHMENT = re.compile(r"attachment:([^\s)\"'>]+)")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

Tagged = tuple[Cell, Sequence[str]]


def notebook_cells(raw: bytes, path: str) -> Iterator[Tagged]:
    """Yield a notebook's cells, each with its tags. One that cannot be read has none: collecting modules says so."""
    with contextlib.suppress(NoNotebook):
        for number, cell in enumerate(cells_in(raw), start=1):
            yield _cell(cell, path[-LONGEST_NAME:], number), _tags(cell)


def file_cells(raw: bytes, path: str) -> list[Tagged]:
    """Return the cells of a file that is no module: those of a text, or one of a picture or document."""
    name = path[-LONGEST_NAME:]
    ending = path.lower()
    if ending.endswith(PICTURES):
        return [(Cell(name, 1, Kind.PICTURE, "", (_picture(raw, name),)), [])]
    if ending.endswith(DOCUMENTS):
        why = "such a file is shown by other programs alone: look at it where it was handed in"
        return [(Cell(name, 1, Kind.TEXT, "", (Piece(Form.LACKING, why),)), [])]
    if not ending.endswith(TEXTS):
        return []
    text = _lines(_decoded(raw))
    return [(_section(name, number, one), []) for number, one in enumerate(sections(text), start=1)]


def _section(name: str, number: int, text: str) -> Cell:
    text, drawn = _without_pictures(text)
    return Cell(name, number, Kind.MARKDOWN, text, tuple(drawn))


def _decoded(raw: bytes) -> str:
    """Return a text as its editor saved it; what no encoding fits is shown as far as it can be."""
    try:
        return decoded(raw).content
    except UsageError:
        return raw.decode("utf-8-sig", "replace")


def _cell(cell: Any, name: str, number: int) -> Cell:
    """Return a cell. What of it makes no sense is said to be lacking, so that all the rest is there."""
    found = cell if isinstance(cell, Mapping) else {}
    source, pieces = found.get("source"), []
    kind, text = _KINDS.get(str(found.get("cell_type")), Kind.TEXT), _lines(source) if isinstance(source, str) else ""
    if not isinstance(source, str):
        pieces.append(Piece(Form.LACKING, "a cell that is damaged"))
    if kind is Kind.MARKDOWN:
        text, drawn = _without_pictures(text)
        pieces += drawn
    for output in found.get("outputs") or []:
        pieces += _or_lacking(_output, output)
    pieces += _or_lacking(_attached, found, text)
    return Cell(name, number, kind, text.strip("\n"), tuple(pieces))


def _or_lacking(read: Callable[..., Iterator[Piece]], *of: Any) -> list[Piece]:
    try:
        return list(read(*of))
    except MemoryError:
        raise
    except Exception:  # any JSON at all may come
        return [Piece(Form.LACKING, "an output that is damaged")]


def _tags(cell: Any) -> list[str]:
    try:
        return [tag for tag in cell["metadata"]["tags"] if isinstance(tag, str)]
    except (LookupError, TypeError):
        return []


def _without_pictures(text: str) -> tuple[str, list[Piece]]:
    """Take out of a text the pictures that stand in it as addresses, as Colab writes them."""
    pieces: list[Piece] = []

    def taken(match: re.Match[str]) -> str:
        mime = match[1].lower().replace("/jpg", "/jpeg")
        pieces.extend(_bundle({mime: match[2]}))
        return f"(picture {len(pieces)})"

    return _WRITTEN.sub(taken, text), pieces


def _attached(cell: Mapping[str, Any], text: str) -> Iterator[Piece]:
    named = {unquote(name) for name in _ATTACHMENT.findall(text)}
    for name, data in (cell.get("attachments") or {}).items():
        if name in named or f"attachment:{name}" in text:
            yield from _bundle(data)


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
        except ValueError:  # no base64, or no ASCII
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
    return Piece(form, _COLOURS.sub("", _on_screen(_joined(text))).rstrip("\n"))


def _on_screen(text: str) -> str:
    """Return what of an output a screen shows in the end: a progress bar writes its line a thousand times."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(map(str, text))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
