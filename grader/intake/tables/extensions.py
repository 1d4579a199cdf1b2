"""Reads what a cell of the roster says of weeks: `week5=+2d; week6=2026-10-20T23:59+02:00`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from grader.errors import UsageError

_MORE = re.compile(r"\+\s*(\d{1,3})\s*(d|days?|h|hours?)", re.IGNORECASE)
_PART = re.compile(r"\s*([^=;,\n]+?)\s*=\s*([^=;,\n]+?)\s*")


@dataclass(frozen=True)
class Days:
    """So many calendar days more: the same time of day, also where clocks are changed between."""

    count: int


Extension = datetime | timedelta | Days  # a new due date, or so much more time
Value = TypeVar("Value")


def read_extensions(where: str, cell: str, week_of: Callable[[str], str | None], known: Collection[str]) -> dict[
    str, Extension
]:  # fmt: skip
    """Read the extensions in a cell, by week. `where` is the file and line, for `UsageError`.

    `week_of` returns the week that a word names, None where it names none of `known`.
    """
    return _by_week(where, cell, "extension", _extension, (week_of, known))


def read_times(where: str, cell: str, week_of: Callable[[str], str | None], known: Collection[str]) -> dict[
    str, datetime
]:  # fmt: skip
    """Read times of submission in a cell, by week, as `read_extensions` reads extensions."""
    return _by_week(where, cell, "time", _time, (week_of, known))


def written(extension: Extension) -> str:
    """Write an extension or a time as a cell of the roster has it."""
    if isinstance(extension, Days):
        return f"+{extension.count}d"
    if isinstance(extension, timedelta):
        return f"+{extension // timedelta(hours=1)}h"
    return extension.isoformat()


def parsed(text: str) -> Extension | None:
    """Undo `written`; None where it is no extension."""
    return _extension(text)


def _by_week(
    where: str, cell: str, what: str, read: Callable[[str], Value | None],
    weeks: tuple[Callable[[str], str | None], Collection[str]],
) -> dict[str, Value]:  # fmt: skip
    found: dict[str, Value] = {}
    for text in _parts(cell):
        word, value = _divided(text, read)
        if value is None:
            more = "week5=+2d, week5=+12h or " if what == "extension" else ""
            raise UsageError(
                f"{where}: cannot read the {what} {text!r}{_lacking(text)}; "
                f"write it as in {more}week5=2026-10-20T23:59+02:00"
            )
        week = weeks[0](word)
        if week is None:
            raise UsageError(f"{where}: {text!r} is for no week of this course; known weeks: {', '.join(weeks[1])}")
        if week in found:
            raise UsageError(f"{where}: {text!r} is the second {what} for {week}; keep one of them")
        found[week] = value
    return found


def _parts(cell: str) -> Iterator[str]:
    yield from (part.strip() for part in re.split(r"[;,\n]", cell) if part.strip())


def _divided(text: str, read: Callable[[str], Value | None]) -> tuple[str, Value | None]:
    part = _PART.fullmatch(text)
    return (part[1], read(part[2])) if part else ("", None)


def _lacking(text: str) -> str:
    """Say which parts of a time were left out: its week in front, its offset from UTC at the end."""
    part = _PART.fullmatch(text)
    try:
        moment = datetime.fromisoformat(part[2] if part else text)
    except ValueError:
        return ""
    lacking = [] if part else ["its week in front (week5=)"]
    lacking += [] if moment.tzinfo else ["the offset from UTC at its end (+02:00)"]
    return f", which lacks {' and '.join(lacking)}" if lacking else ""


def _extension(text: str) -> Extension | None:
    more = _MORE.fullmatch(text)
    if more is None:
        return _time(text)
    count = int(more[1])
    return Days(count) if more[2][0] in "dD" else timedelta(hours=count)


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
