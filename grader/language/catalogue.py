"""Translates by a language's `.po` file: texts of the pages, and messages that were kept in English.

A message has values in it: `conv1: wrong shape; expected shape (8, 10), got shape (10, 8)`. Its parts are found by the
patterns that the sources make them of (`{what}: wrong shape`), and put together again with the values as they are. What
matches no pattern stays: it is the course's own text, Python's, or the student's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from string import Formatter

from grader.language.po_file import Entry, entries

FOLDER = Path(__file__).parent
MESSAGE = "message"  # the context of what is kept in English, and found again by its pattern
MOST_PARTS = 12  # of one line: nobody's message has as many
_DEEPEST = 3  # messages within messages
_ENTRY = re.compile(r"  (?P<label>[a-z][a-z ]{0,10}?) {2,}(?P<value>\S.*)")
_BETWEEN = re.compile(r"; |: | \(|, in ")
_SENTENCE, _COLON = "; ", ": "
_AFTER = re.compile(r"; |: |, in ")  # what comes in brackets, such as a shape, may belong to a value
# After these come Python's own words, or a library's, up to what we say of them. A beginner looks these up as they are.
QUOTING = ("your code raised {known}", "your code could not be used, {known}", "the check itself crashed")
QUOTED = " " * 6  # so far a student's line of code is set in, under the place that it comes from


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
        self.text, self._translation = entry.text, entry.translation
        self.quotes = entry.text in QUOTING
        self.begins = self._literals[0]
        self.longest = max(self._literals, key=len)  # what a text lacks that is not made of this pattern
        self.weight = sum(map(len, self._literals))
        self.last = self._names[-1] if self._names and not self._literals[-1] else ""  # the value that it ends in
        self.first = self._names[0] if self._names and not self.begins else ""  # and the one that it begins with
        follows = self._literals[1] if self.first else ""
        self.joint = follows if _BETWEEN.match(follows) else ""  # after that

    def may_be_in(self, text: str) -> bool:
        """Tell in little time where no beginning of a text is made of this pattern."""
        return text.startswith(self.begins) and self.longest in text

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

    def is_whole(self, values: dict[str, str], left: int) -> bool:
        """Tell whether no value goes on after a joint: neither a last one at that with so much left, nor any other.

        What stands in brackets, such as a shape, belongs to its value.
        """
        others = [value for name, value in values.items() if name != self.last]
        whole = all(value.count("(") == value.count(")") and not _AFTER.search(f"{value} ") for value in others)
        return whole and len(values.get(self.last, "")) < left

    def is_torn(self, values: dict[str, str]) -> bool:
        """Tell whether a value goes on after a sentence's end: what comes before is a message of its own.

        So it is with what comes before a colon in the value that a text begins with.
        """
        if self.first != self.last and _COLON in f"{values.get(self.first, '')} ":
            return True
        return any(_SENTENCE in f"{value} " for name, value in values.items() if name != self.last)

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
        self._made_of = {entry.text for entry in known if entry.context == MESSAGE}
        self._take(Pattern(entry) for entry in known if entry.context == MESSAGE)

    def _take(self, patterns: Iterable[Pattern]) -> None:
        self._patterns = sorted(patterns, key=lambda pattern: -pattern.weight)
        self._leading = [pattern for pattern in self._patterns if pattern.joint]

    def joined_by(self, messages: Sequence[Entry]) -> Catalogue:
        """Return a catalogue that knows these messages as well, and says them as they do where both have one."""
        both = Catalogue(())
        both._texts, both._made_of = self._texts, self._made_of | {entry.text for entry in messages}
        own = {entry.text for entry in messages}
        both._take([*(one for one in self._patterns if one.text not in own), *map(Pattern, messages)])
        return both

    def text(self, template: str) -> str:
        """Return the translation of a text of the pages, with its places for values."""
        return self._texts.get(template, template)

    def has_message(self, pattern: str) -> bool:
        """Tell whether a message is translated here that is made of this pattern."""
        return pattern in self._made_of

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
            if not pattern.may_be_in(heads[-1]):
                continue
            for number, head in enumerate(heads):
                values = pattern.match(head)
                if values is None or pattern.is_torn(values):
                    continue
                told, length = self._filled(pattern, values, heads[number:], depth)
                if length == len(head) and not pattern.quotes:
                    told, length = self._led_by(heads[number:], depth) or (told, length)
                return told, length, pattern.quotes
        return None

    def _led_by(self, heads: Sequence[str], depth: int) -> tuple[str, int] | None:
        """Translate the message that begins with a beginning as its value, such as `…: wrong shape`; else None."""
        end = len(heads[0])
        for pattern in self._leading if depth < _DEEPEST and len(heads) > 1 else ():
            if not heads[-1].startswith(pattern.joint, end):
                continue
            for number, head in enumerate(heads[1:], start=1):
                values = pattern.match(head)
                if values is not None and values[pattern.first] == heads[0]:
                    return self._filled(pattern, values, heads[number:], depth)
        return None

    def _filled(self, pattern: Pattern, values: dict[str, str], heads: Sequence[str], depth: int) -> tuple[str, int]:
        """Translate the first of some beginnings, which has these values, or as much more as its last value takes."""
        said = {name: self._inner(value, depth) for name, value in values.items()}
        length = len(heads[0])
        if pattern.last and not pattern.quotes:
            start = length - len(values[pattern.last])
            if longer := self._going_on([head[start:] for head in heads], depth + 1):
                said[pattern.last], more = longer
                length = start + more
                values = {**values, pattern.last: heads[-1][start:length]}
        return pattern.filled(values, said), length

    def _going_on(self, tails: Sequence[str], depth: int) -> tuple[str, int] | None:
        """Translate the message that a value is with what comes after its end; None where none has its joint in it."""
        for pattern in self._patterns if depth < _DEEPEST and len(tails) > 1 else ():
            if pattern.joint or not pattern.may_be_in(tails[-1]):
                continue
            for number, tail in enumerate(tails[1:], start=1):
                values = pattern.match(tail)
                if values is not None and pattern.is_whole(values, len(tail) - len(tails[0])):
                    return self._filled(pattern, values, tails[number:], depth)
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
