"""Tells which cells belong to a part that people grade.

A part is named by a cell's tag, `manual:plots`; by a heading, and then all cells below belong to it, up to the next
heading that is no deeper; or by the first line of a single cell. A heading names a part where it holds its words, and
a first line where it begins with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from grader.intake.answers.answers import LONGEST_NAME, Cell, Kind

TAG = "manual:"
MOST_LINES = 5_000  # of a cell in which headings are looked for

_HEADING = re.compile(r"[ ]{0,3}(#{1,6})[ \t]+(\S[^\n]*)")
_UNDERLINE = re.compile(r"[ ]{0,3}(?:=+|-+)[ \t]*")
_FENCE = re.compile(r"[ ]{0,3}(?:```|~~~)")
_WORD = re.compile(r"\d+(?:\.\d+)+|\w+")
_LEAD = re.compile(r"\A(?:(?:answers?|tasks?|questions?|exercises?|problems?|part|antwort|aufgabe|frage)\b[ ]*)*", re.I)


@dataclass(frozen=True)
class Heading:
    """A heading: the number of its line from 0, how deep it is from 1 to 6, and its words."""

    line: int
    level: int
    words: str


class Headings:
    """Knows the words by which the answer to each part is found."""

    def __init__(self, words: Iterable[tuple[str, Sequence[str]]]) -> None:
        self._patterns = {part: [_pattern(one) for one in own] for part, own in words if own}

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that have an answer."""
        return tuple(self._patterns)

    def assigned(self, cells: Iterable[tuple[Cell, Sequence[str]]]) -> list[Cell]:
        """Return the cells of one file, each given with its tags, with the parts that they belong to."""
        opened: dict[str, int] = {}  # by part, the level of the heading that named it
        found = []
        for cell, tags in cells:
            parts = [tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)]
            headings = list(headings_of(cell.text)) if cell.kind is Kind.MARKDOWN else []
            if not headings or _has_text(cell.text, headings[0].line):  # above a heading is what was before it
                parts += opened
            for heading in headings:
                opened = {part: level for part, level in opened.items() if level < heading.level}
                opened = dict.fromkeys(self.named(heading.words), heading.level) | opened
                parts += opened
            parts += self._begun(_first_line(cell))
            known = [part for part in dict.fromkeys(parts) if part in self._patterns]
            found.append(replace(cell, parts=tuple(known)))
        return found

    def named(self, words: str) -> list[str]:
        """Return the parts that a text names anywhere."""
        return [part for part, patterns in self._patterns.items() if any(one.search(_plain(words)) for one in patterns)]

    def _begun(self, line: str) -> list[str]:
        plain = _LEAD.sub("", _plain(line), count=1)
        return [part for part, patterns in self._patterns.items() if any(one.match(plain) for one in patterns)]


def headings_of(text: str) -> Iterator[Heading]:
    """Yield the headings of a Markdown text; what looks like one in a block of code is none."""
    is_code, before = False, ""
    for number, line in enumerate(text.split("\n")[:MOST_LINES]):
        if _FENCE.match(line):
            is_code, before = not is_code, ""
        elif not is_code:
            match = _HEADING.match(line)
            if match:
                yield Heading(number, len(match[1]), match[2])
            elif before and _UNDERLINE.fullmatch(line):
                yield Heading(number - 1, 1 if "=" in line else 2, before)
            before = "" if match else line.strip()


def sections(text: str) -> Iterator[str]:
    """Take a Markdown text apart in front of each heading."""
    lines = text.split("\n")
    starts = [0, *(heading.line for heading in headings_of(text)), len(lines)]
    for first, last in pairwise(starts):
        if any(line.strip() for line in lines[first:last]):
            yield "\n".join(lines[first:last])


def _has_text(text: str, before: int) -> bool:
    return any(line.strip() for line in text.split("\n")[:before])


def _first_line(cell: Cell) -> str:
    line = next((line.strip() for line in cell.text.split("\n") if line.strip()), "")
    if cell.kind is Kind.CODE and not line.startswith("#"):
        return ""
    return line[:LONGEST_NAME]


def _pattern(words: str) -> re.Pattern[str]:
    plain = _plain(words)
    # 5.4 is not named by 15.4 or 5.41; by 5.4.1 and 5.4a it is
    end = r"(?!\d)" if plain[-1:].isdigit() else r"(?!\w)"
    return re.compile(rf"(?<![\w.]){re.escape(plain)}{end}")


def _plain(words: str) -> str:
    """Return words as they are compared: letters and digits, dots within numbers, single blanks."""
    return " ".join(_WORD.findall(words[:LONGEST_NAME].casefold()))
