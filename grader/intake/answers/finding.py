"""Picks the cells that belong to each part that people grade, and keeps them within bounds.

A part whose answer nobody finds by its name may stand anywhere: then all that is the student's own is kept. What was
handed out is known by the course's own files beside the checks, and is kept only where an answer stands below it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from grader.course import Assignment
from grader.intake.answers.answers import (
    LONGEST,
    MOST_CELLS,
    MOST_PICTURES,
    MOST_PIECES,
    MOST_TEXT,
    Answers,
    Cell,
    Form,
    Piece,
    work_of,
)
from grader.intake.answers.cells import file_cells, notebook_cells
from grader.intake.answers.headings import Headings

MOST_HANDED_OUT = 200  # files of the course's own that are looked into
MOST_OTHERS = 500_000  # bytes of pictures that belong to no part


def answers_in(assignment: Assignment, notebooks: Mapping[str, bytes], files: Mapping[str, bytes]) -> Answers:
    """Return the answers to what people grade in a week; `files` are those beside the notebooks, by their paths.

    A notebook or file that cannot be read has none.
    """
    headings = Headings(assignment.headings)
    if not headings.parts:
        return Answers()
    handed = _handed_out(assignment.folder)
    found = [cell for cells in _read(notebooks, files, headings, handed) for cell in cells]
    work = work_of(found)
    found = [replace(cell, is_given=(cell.kind, cell.text.strip()) in handed) for cell in found]
    has_all = all(any(cell.is_own and part in cell.parts for cell in found) for part in headings.parts)
    kept = [cell for cell in found if cell.parts or (not has_all and cell.is_own)]
    if not any(cell.is_own for cell in kept):
        return Answers()
    return Answers(headings.parts, tuple(_bounded(kept)), work)


def _read(
    notebooks: Mapping[str, bytes], files: Mapping[str, bytes], headings: Headings, handed: frozenset[object]
) -> Iterator[list[Cell]]:
    for path, raw in notebooks.items():
        yield headings.assigned(notebook_cells(raw, path))
    for path, raw in sorted(files.items()):
        if _digest(raw) in handed:
            continue
        by_name = headings.named(path.rpartition("/")[2].rpartition(".")[0].replace("_", " "))
        for cell in headings.assigned(file_cells(raw, path)):
            yield [replace(cell, parts=tuple(dict.fromkeys((*cell.parts, *by_name))))]


@lru_cache(maxsize=4)
def _handed_out(folder: Path) -> frozenset[object]:
    """Return what the course's own folder holds: cells by kind and text, other files by digest."""
    found: set[object] = set()
    for path in sorted(folder.rglob("*"))[:MOST_HANDED_OUT]:
        if not path.is_file():
            continue
        raw = path.read_bytes()
        if path.suffix == ".ipynb":
            found |= {(cell.kind, cell.text.strip()) for cell, _ in notebook_cells(raw, path.name)}
        else:
            found.add(_digest(raw))
    return frozenset(found)


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def _bounded(cells: Iterable[Cell]) -> list[Cell]:
    """Cut what is too long, and leave out pictures and cells that are too many; those of parts go before others."""
    known = list(cells)
    order = sorted(range(len(known)), key=lambda place: (not known[place].parts, place))[:MOST_CELLS]
    left = _Left()
    kept = {place: left.of(known[place]) for place in order}
    return [kept[place] for place in sorted(kept)]


class _Left:
    """What may still be kept of a submission: characters, and bytes of pictures, fewer of those that no part has."""

    def __init__(self) -> None:
        self.text = MOST_TEXT
        self.pictures = {True: MOST_PICTURES - MOST_OTHERS, False: MOST_OTHERS}

    def of(self, cell: Cell) -> Cell:
        text = self._cut(cell.text)
        pieces: list[Piece] = []
        for piece in cell.pieces:
            if len(pieces) == MOST_PIECES - 1 or self.text <= 0:
                pieces.append(Piece(Form.LACKING, "more than is kept of what a cell or a work puts out"))
                break
            pieces.append(self._piece(piece, bool(cell.parts)))
        return replace(cell, text=text, pieces=tuple(pieces))

    def _piece(self, piece: Piece, is_asked: bool) -> Piece:
        if not piece.is_picture:
            return replace(piece, content=self._cut(piece.content))
        size = 3 * len(piece.content) // 4
        if size > self.pictures[is_asked]:
            return Piece(Form.LACKING, "a picture: there are more of them than are kept of one work")
        self.pictures[is_asked] -= size
        return piece

    def _cut(self, text: str) -> str:
        most = max(0, min(LONGEST - 100, self.text))
        self.text -= min(len(text), most) + 10
        return text if len(text) <= most else f"{text[:most]}\n… (cut here; {len(text):,} characters in all)"
