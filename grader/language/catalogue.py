"""Translates by a language's `.po` file: texts of the pages, and messages that were kept in English.

A message has values in it: `conv1: wrong shape; expected shape (8, 10), got shape (10, 8)`. Its parts are found by the
patterns that the sources make them of (`{what}: wrong shape`), and put together again with the values as they are. What
matches no pattern stays: it is the course's own text, Python's, or the student's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

from grader.errors import CourseError

FOLDER = Path(__file__).parent
MESSAGE = "message"  # the context of what is kept in English, and found again by its pattern
MOST_PARTS = 12  # of one line: nobody's message has as many
_DEEPEST = 3  # messages within messages
_ENTRY = re.compile(r"  (?P<label>[a-z][a-z ]{0,10}?) {2,}(?P<value>\S.*)")
_BETWEEN = re.compile(r"; |: | \(|, in ")
# After these come Python's own words, or a library's, up to what we say of them. A beginner looks these up as they are.
QUOTING = ("your code raised {known}", "your code could not be used, {known}", "the check itself crashed")
QUOTED = " " * 6  # so far a student's line of code is set in, under the place that it comes from
_STRING = re.compile(r'\s*(msgctxt|msgid|msgstr)?\s*("(?:[^"\\]|\\.)*")\s*')


@dataclass(frozen=True)
class Entry:
    """One text: its context, itself in English, and its translation."""

    context: str
    text: str
    translation: str = ""


def entries(file: Path) -> Iterator[Entry]:
    """Read a `.po` file, but for its header and what waits for a person: entries that another tool has marked fuzzy.

    What cannot be read is a `CourseError` with its line. A byte order mark, or no blank line between entries, is fine.
    """
    for fields, fuzzy in _blocks(file):
        if fields.get("msgid") and not fuzzy:
            yield Entry(fields.get("msgctxt", ""), fields["msgid"], fields.get("msgstr", ""))


def _blocks(file: Path) -> Iterator[tuple[dict[str, str], bool]]:
    """Read the fields of each entry: one begins with its context, or with its text after another's translation."""
    try:
        lines = file.read_bytes().decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{file} cannot be read ({error}); save it as UTF-8") from error
    fields: dict[str, str] = {}
    name, fuzzy, next_fuzzy = "", False, False
    for number, line in enumerate(lines, start=1):
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


class Pattern:
    """A message with places for values. It takes a text in time that grows with its length alone."""

    def __init__(self, entry: Entry) -> None:
        self._literals = [""]
        self._names: list[str] = []
        for literal, name, _, _ in Formatter().parse(entry.text):
            self._literals[-1] += literal
            if name is not None:
                self._names.append(name)
                self._literals.append("")
        self._translation = entry.translation
        self.quotes = entry.text in QUOTING
        self.begins = self._literals[0]
        self.longest = max(self._literals, key=len)  # what a text lacks that is not made of this pattern
        self.weight = sum(map(len, self._literals))

    def match(self, text: str) -> dict[str, str] | None:
        """Return the values by their names; None where the text is not made of this pattern."""
        first, *middle = self._literals
        if not middle:
            return {} if text == first else None
        last = middle.pop()
        place, end = len(first), len(text) - len(last)
        if place >= end or not text.startswith(first) or not text.endswith(last):
            return None
        values = []
        for literal in middle:
            found = text.find(literal, place + 1, end)
            if found < 0:
                return None
            values.append(text[place:found])
            place = found + len(literal)
        values.append(text[place:end])
        return dict(zip(self._names, values, strict=True)) if values[-1] else None

    def filled(self, values: dict[str, str], said: dict[str, str]) -> str:
        """Return the translation with the values as they are `said`; one that is said after a comma takes no blank."""
        template = self._translation
        for name, value in said.items():
            if value != values[name] and value.startswith(","):
                template = template.replace(f" {{{name}}}", f"{{{name}}}")
        return template.format(**said)


class Catalogue:
    """The translations into one language. What it lacks stays English."""

    def __init__(self, found: Sequence[Entry]) -> None:
        known = [entry for entry in found if entry.translation]
        self._texts = {entry.text: entry.translation for entry in known if entry.context != MESSAGE}
        patterns = [Pattern(entry) for entry in known if entry.context == MESSAGE]
        self._patterns = sorted(patterns, key=lambda pattern: -pattern.weight)

    def text(self, template: str) -> str:
        """Return the translation of a text of the pages, with its places for values."""
        return self._texts.get(template, template)

    def message(self, text: str) -> str:
        """Return a message, which may have several lines, with each part that is known translated."""
        return "\n".join(map(self._line, text.split("\n")))

    def _line(self, line: str) -> str:
        if line.startswith(QUOTED):
            return line
        if entry := _ENTRY.fullmatch(line):
            label = self._texts.get(entry["label"])
            if label:
                return f"  {label:<12} {self._parts(entry['value'])}"
        return self._parts(line)

    def _parts(self, line: str, depth: int = 0) -> str:
        """Translate a beginning that is known, then what follows it."""
        done: list[str] = []
        for _ in range(MOST_PARTS):
            cuts = [*_BETWEEN.finditer(line)][:MOST_PARTS]
            heads = [line[: cut.start()] for cut in cuts] + [line]
            known, length, quotes = self._known(heads, depth) or (heads[0], len(heads[0]), False)
            done.append(known)
            cut = next((cut for cut in cuts if cut.start() == length), None)
            if cut is None:
                return "".join(done)
            done.append(cut[0])
            line = line[cut.end() :]
            if quotes:
                quoted, joint, line = line.partition("; ")
                done.append(quoted + joint)
        return "".join([*done, line])

    def _known(self, heads: Sequence[str], depth: int) -> tuple[str, int, bool] | None:
        """Translate one of these beginnings of a line, the shortest first; return that, its length, and if it quotes.

        Of several patterns the one with most letters is meant. It takes no more than it has to: its last value would
        else be the rest of the line.
        """
        for pattern in self._patterns:
            if not heads[-1].startswith(pattern.begins) or pattern.longest not in heads[-1]:
                continue
            for head in heads:
                values = pattern.match(head)
                if values is not None:
                    inner = {name: self._inner(value, depth) for name, value in values.items()}
                    return pattern.filled(values, inner), len(head), pattern.quotes
        return None

    def _inner(self, value: str, depth: int) -> str:
        """Translate what a message is about, where that is a message itself, or a list of them."""
        if depth >= _DEEPEST:
            return value
        return self._listed(value, depth + 1) or self._parts(value, depth + 1)

    def _listed(self, value: str, depth: int) -> str | None:
        """Translate a list of messages; None where it is none, which its first part that is no message tells."""
        parts = value.split(", ", MOST_PARTS)
        if not 1 < len(parts) <= MOST_PARTS:
            return None
        found = []
        for part in parts:
            known = self._known([part], depth)
            if known is None:
                return None
            found.append(known[0])
        return ", ".join(found)


@cache
def catalogue(language: str) -> Catalogue | None:
    """Return a language's catalogue; None for English, in which everything is written, and for what is no language."""
    file = FOLDER / f"{language}.po"
    known = file in FOLDER.glob("*.po")  # the name may come from a file that anybody has written
    return Catalogue(list(entries(file))) if known else None
