"""Reads a TOML file of a course, and says what is wrong in it by file and line, all at once."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.errors import CourseError

_HEADER = re.compile(r"\s*\[+\s*([\w.\"'-]+)\s*\]+")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*=")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


class TomlFile:
    """A file's `data`, and the faults found in it so far: `finish` raises them together."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.faults: list[str] = []
        try:
            text = file.read_text(encoding="utf-8")
            self.data: dict[str, Any] = tomllib.loads(text)
        except (OSError, ValueError) as error:  # bad TOML and bad UTF-8 are ValueErrors
            raise CourseError(_unreadable(file, error)) from error
        self._lines = _lines_of(text)

    def where(self, key: str = "", table: str = "") -> str:
        """Return `file:line` of a key, else of its table, else the file alone."""
        line = self._lines.get((table, key)) or self._lines.get((table, ""))
        return f"{self.file}:{line}" if line else str(self.file)

    def fault(self, text: str, key: str = "", table: str = "") -> None:
        """Note a fault, with the place of the key that it is about."""
        self.faults.append(f"{self.where(key, table)}: {text}")

    def finish(self) -> None:
        """Raise `CourseError` with all faults, if there are any."""
        if self.faults:
            raise CourseError("\n".join(self.faults))

    def refuse_unknown(self, known: Sequence[str], table: str = "") -> None:
        """Note each key of the file, or of one of its tables, that nothing reads."""
        for key in self.table(table) if table else self.data:
            if key not in known:
                name = f"[{key}]" if not table and isinstance(self.data[key], dict) else f"`{key}`"
                inside = f" under [{table}]" if table else ""
                self.fault(f"there is no {name}{inside}; {meant(key, known)}", key, table)

    def table(self, name: str) -> dict[str, Any]:
        """Return a table, empty where there is none; another kind of value is a fault."""
        given = self.data.get(name, {})
        if isinstance(given, dict):
            return given
        self.fault(f"[{name}] must be a table", name)
        return {}

    def text(self, key: str, example: str, required: bool = False) -> str:
        """Return a text; "" where it is missing, which is a fault if it is `required`."""
        value = self.data.get(key)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.fault(f"`{key}` is missing or not a text; write it as in {key} = {example}", key)
            return ""
        return value

    def names(self, key: str, pattern: str, example: str) -> tuple[str, ...]:
        """Return a list of names, each once; an empty one where it is missing."""
        given = self.data.get(key, [])
        if not isinstance(given, list) or not all(isinstance(one, str) and re.fullmatch(pattern, one) for one in given):
            self.fault(f"`{key}` must list names, as in {key} = {example}", key)
            return ()
        if twice := sorted({one for one in given if given.count(one) > 1}):
            self.fault(f"`{key}` names {', '.join(twice)} twice", key)
        return tuple(dict.fromkeys(given))

    def numbers(self, table: str, keys: Sequence[str], least: int) -> dict[str, int]:
        """Return a table of whole numbers, of `least` or more; a key that is not among `keys` is a fault."""
        self.refuse_unknown(keys, table)
        given = {key: number for key, number in self.table(table).items() if key in keys}
        above = f"above {least - 1}" if least else "of at least 0"
        for key, number in given.items():
            if type(number) is not int or number < least:
                self.fault(f"`{key}` under [{table}] must be a whole number {above}", key, table)
        return {key: number for key, number in given.items() if type(number) is int}

    def zone(self, key: str = "time_zone") -> ZoneInfo | None:
        """Return a time zone; None where it is missing."""
        name = self.data.get(key)
        try:
            return None if name is None else ZoneInfo(name)
        except (TypeError, ValueError, OSError, ZoneInfoNotFoundError):
            self.fault(f'there is no `{key}` {name!r}; it is written as in "Europe/Berlin"', key)
            return None


def meant(key: str, known: Sequence[str]) -> str:
    """Ask whether a known name was meant by one that is unknown; where none is near, list them all."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{name}`' for name in known)}"


def _unreadable(file: Path, error: Exception) -> str:
    """Word why a file is no TOML, with the line in front where the parser names it."""
    says = str(error)
    place = _AT_LINE.search(says)
    line = f":{place[1]}" if place else ""
    return f"{file}{line}: cannot be read ({_AT_LINE.sub('', says)}); mend it"


def _lines_of(text: str) -> Mapping[tuple[str, str], int]:
    """Map each (table, key) to its line; a table's own line has no key."""
    found: dict[tuple[str, str], int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = header[1]
            found.setdefault((table, ""), number)
            found.setdefault(("", table), number)
        elif key := _KEY.match(line):
            found.setdefault((table, key[1]), number)
    return found
