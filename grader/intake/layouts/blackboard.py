"""Reads a download from Blackboard: flat files, whose names say whose they are, and when they came.

`Week 5_asilva_attempt_2026-10-05-20-15-30_lenet.py`, where `Week 5` is the column; beside the files of each attempt
lies a receipt `…_attempt_2026-10-05-20-15-30.txt`, whose first line, in the language of the site, is `Name: Ana Silva
(asilva)`. Times are those of a clock on the wall. A download may hold all attempts; the latest with a file counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from grader.inside import says
from grader.intake.folders.entries import Entry
from grader.intake.layouts.handed import Found, Handed, Part
from grader.people.identity import Identity

# The leftmost place where the platform's own parts fit is its own: a student chooses the name of the file behind them.
_NAMED = re.compile(r"(?P<before>.+?)_attempt_(?P<at>\d{4}(?:-\d\d){5})(?:(?P<receipt>\.txt)|_(?P<file>.+))", re.DOTALL)
_WHOSE = re.compile(r"[^:：]{1,60}[:：]\s*(?P<name>\S.{0,200}?)\s*\((?P<login>[^()\s]{1,100})\)\s*")
TYPED = "text typed into Blackboard"


@dataclass
class _Attempt:
    receipt: Path | None = None
    parts: list[Part] = field(default_factory=list)


def fits(folder: Entry, entry: Entry) -> bool:
    """Tell whether Blackboard writes such an entry."""
    return not entry.is_folder and _NAMED.fullmatch(entry.path.name) is not None


def read(folder: Entry, entries: Sequence[Entry], first_line: Callable[[Path], str]) -> Found:
    """Read whose the files are; `first_line` returns that of a receipt, empty where it cannot be read."""
    attempts: dict[str, dict[str, _Attempt]] = {}  # by what stands before `_attempt_`, then by time
    ignored = []
    for entry in entries:
        match = None if entry.is_folder else _NAMED.fullmatch(entry.path.name)
        if match is None:
            ignored.append((entry.path.name, "not named as Blackboard does"))
            continue
        attempt = attempts.setdefault(match["before"], {}).setdefault(match["at"], _Attempt())
        if match["receipt"]:
            attempt.receipt = entry.path
        else:
            attempt.parts.append((match["file"], entry.path))
    column = _column(list(attempts))
    found = []
    for before, theirs in attempts.items():
        name, login = _whose(before, theirs, first_line)
        one, earlier = _handed(name, login or before.removeprefix(column) or before, theirs)
        found.append((one, login))
        ignored += earlier
    return found, ignored


def _whose(before: str, attempts: dict[str, _Attempt], first_line: Callable[[Path], str]) -> tuple[str, str]:
    """Return the name and the login in the latest receipt; empty where it names another login than the files do."""
    receipts = [attempts[at].receipt for at in sorted(attempts, reverse=True)]
    for receipt in filter(None, receipts):
        whose = _WHOSE.fullmatch(first_line(receipt))
        if whose and before.casefold().endswith(whose["login"].casefold()):
            return whose["name"], before[-len(whose["login"]) :]
    return "", ""


def _handed(name: str, login: str, attempts: dict[str, _Attempt]) -> tuple[Handed, list[tuple[str, str]]]:
    """Return a student's latest attempt with a file, and the files of earlier ones."""
    who, student = Identity(name, "blackboard", login=login), name or login
    with_files = sorted(at for at, attempt in attempts.items() if attempt.parts)
    if not with_files:
        last = max(attempts)
        receipt = attempts[last].receipt
        assert receipt is not None
        return Handed(student, receipt, at=_time(last), who=who, typed=TYPED), []
    *before, last = with_files
    parts = tuple(attempts[last].parts)
    earlier = [(path.name, f"an earlier attempt of {student}") for at in before for _, path in attempts[at].parts]
    notes = (says("a later attempt holds no file"),) if last != max(attempts) else ()
    return Handed(student, parts[0][1], parts, at=_time(last), notes=notes, who=who), earlier


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S")
    except ValueError:
        return None


def _column(names: Sequence[str]) -> str:
    """Find the column's name, `Week 5_`: what all share up to an underscore; for one, up to the last."""
    first, last = min(names, default=""), max(names, default="")
    length = next((place for place, pair in enumerate(zip(first, last, strict=False)) if len({*pair}) > 1), len(first))
    return first[: first.rfind("_", 0, length) + 1]
