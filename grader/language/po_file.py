"""Reads and writes `.po` files, as tools for translators keep them: texts in English, each with its translation."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from grader.errors import CourseError

_STRING = re.compile(r'\s*(msgctxt|msgid|msgstr)?\s*("(?:[^"\\]|\\.)*")\s*')


@dataclass(frozen=True)
class Entry:
    """One text: its context, itself in English, and its translation: `fuzzy` while a person has to look at it."""

    context: str
    text: str
    translation: str = ""
    fuzzy: bool = False


def entries(file: Path) -> Iterator[Entry]:
    """Read a `.po` file, but for its header and what waits for a person: entries that are marked fuzzy.

    What cannot be read is a `CourseError` with its line. A byte order mark, or no blank line between entries, is fine.
    """
    return (entry for entry in all_entries(file) if not entry.fuzzy)


def all_entries(file: Path) -> Iterator[Entry]:
    """Read `entries`, and those that wait for a person."""
    return _read(file, enumerate(_lines(file), start=1))


def obsolete_entries(file: Path) -> Iterator[Entry]:
    """Read the entries whose texts are gone: they stand in remarks that begin with `#~`."""
    marked = ((number, line) for number, line in enumerate(_lines(file), start=1) if line.startswith("#~"))
    return _read(file, ((number, line.removeprefix("#~").lstrip()) for number, line in marked))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_bytes().decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{file} cannot be read ({error}); save it as UTF-8") from error


def _read(file: Path, lines: Iterable[tuple[int, str]]) -> Iterator[Entry]:
    for fields, fuzzy in _blocks(file, lines):
        if fields.get("msgid"):
            yield Entry(fields.get("msgctxt", ""), fields["msgid"], fields.get("msgstr", ""), fuzzy)


def _blocks(file: Path, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[dict[str, str], bool]]:
    """Read the fields of each entry: one begins with its context, or with its text after another's translation."""
    fields: dict[str, str] = {}
    name, fuzzy, next_fuzzy = "", False, False
    for number, line in lines:
        if line.startswith("#,"):
            next_fuzzy = next_fuzzy or "fuzzy" in line
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _STRING.fullmatch(line)
        if not found or not (found[1] or name):
            raise CourseError(f'{file}:{number}: this is no line of a .po file, such as `msgstr "…"`: {line.strip()}')
        if found[1] and (found[1] in fields or (found[1] != "msgstr" and "msgstr" in fields)):
            yield fields, fuzzy
            fields, fuzzy = {}, False
        if found[1]:
            name, fuzzy, next_fuzzy = found[1], fuzzy or next_fuzzy, False
        fields[name] = fields.get(name, "") + _unquoted(found[2], f"{file}:{number}")
    yield fields, fuzzy


def _unquoted(quoted: str, place: str) -> str:
    try:
        return str(ast.literal_eval(quoted))
    except (SyntaxError, ValueError) as error:
        raise CourseError(f"{place}: no text that a .po file may hold: {quoted}; \\ is written as \\\\") from error


def placeholders(text: str) -> list[str]:
    """Return the names of the values that a text has, sorted."""
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def written(entry: Entry, remark: str = "") -> str:
    """Return the lines of an entry, after a remark about it."""
    lines = [remark, "#, fuzzy" if entry.fuzzy else "", f"msgctxt {_quoted(entry.context)}" if entry.context else ""]
    lines += [f"msgid {_quoted(entry.text)}", f"msgstr {_quoted(entry.translation)}"]
    return "\n".join(filter(None, lines)) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
