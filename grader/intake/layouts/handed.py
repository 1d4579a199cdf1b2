"""Defines what a layout finds in a class folder: each student's work, and the entries that are nobody's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.people.identity import Identity

Part = tuple[str, Path]  # a file's name in the submission, and where it lies


@dataclass(frozen=True)
class Handed:
    """One student's work as handed in: an entry at `path`, or the files in `parts`; `late` is the platform's word.

    `student` names it here, `who` is what the platform says of the person. `attempts` lists names of parts, oldest
    first, that may be attempts at one file; what they define tells whether they are. A time without a zone is that of a
    clock where the course is held. `problem` says why the entry cannot be read, `typed` what was handed in where it is
    no file.
    """

    student: str
    path: Path
    parts: tuple[Part, ...] = ()
    late: bool = False
    at: datetime | None = None
    notes: tuple[str, ...] = ()
    who: Identity | None = None
    attempts: tuple[tuple[str, ...], ...] = ()
    problem: str = ""
    typed: str = ""


@dataclass(frozen=True)
class Read:
    """A class folder as a layout reads it, with the entries that are nobody's, each with the reason.

    `typed` are those who handed in no file; what they handed in is ignored, too.
    """

    handed: tuple[Handed, ...]
    ignored: tuple[tuple[str, str], ...]
    typed: tuple[Handed, ...] = ()


Found = tuple[list[tuple[Handed, str]], list[tuple[str, str]]]  # with each student's number; and what is ignored
