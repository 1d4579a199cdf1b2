"""Writes numbers as people of a language read them: with its decimal sign.

What machines read is written by Python alone: CSV, JSON, attributes of elements, coordinates.
"""

from __future__ import annotations

import re

from grader.language.catalogue import QUOTED, QUOTING, catalogue

_BETWEEN = re.compile(r"(?<=\d)\.(?=\d)")
DECIMAL = "0.5"  # as a language writes it: its second character is that language's decimal sign
# In messages, numbers with a unit and points are prose. All others stay as Python writes them, which is what a
# student's own print shows.
_MEASURE = re.compile(r"(?<![\w.,\[(])(\d+)\.(\d+)(?= ?(?:%|°|s\b|ms\b|[KMG]i?B\b))")
_POINTS = re.compile(
    r"(?<![\w.,\[])(\d+)\.(\d{1,2})(?=(?: / | of | von )\d|/\d| points?\b| Punkte?n?\b|, and would be)"
)
_MOST = re.compile(r"(\d (?:of|von) |would be )(\d+)\.(\d{1,2})\b")

_HEADS = "|".join(re.escape(head.partition("{")[0]) for head in QUOTING)
_QUOTES = rf"^{QUOTED}|^  called as  |{_HEADS}"
_QUOTED = re.compile(_QUOTES)
_QUOTED_OR_COMPARED = re.compile(rf"{_QUOTES}|^  (?:expected|got)  |[;:,] (?:expected|got) ")
_BOUND = re.compile(r"\bexpected +at (?:least|most) ")
_CODE = re.compile(r"""(`[^`]*`|(?<!\w)'[^']*'(?!\w)|"[^"]*")""")


def written(value: float | str, language: str, places: int | None = None) -> str:
    """Return a number, or what Python has written of one, as people read it; `places` rounds it."""
    text = f"{value:.{places}f}" if places is not None and not isinstance(value, str) else str(value)
    return _BETWEEN.sub(sign_of(language), text)


def measured(message: str, language: str) -> str:
    """Return a message, as it is kept, in which points and numbers with a unit are written as people read them.

    What is quoted stays: code, a call, Python's own words, and values that are equal or not. A bound is no such value.
    """
    sign = sign_of(language)
    if sign == ".":
        return message
    quoted = _QUOTED if _BOUND.search(message) else _QUOTED_OR_COMPARED
    return "\n".join(_measured(line, quoted, sign) for line in message.split("\n"))


def _measured(line: str, quoted: re.Pattern[str], sign: str) -> str:
    place = found.start() if (found := quoted.search(line)) else len(line)
    parts = _CODE.split(line[:place])  # every second one is code
    for number in range(0, len(parts), 2):
        for numbers in (_MEASURE, _POINTS):
            parts[number] = numbers.sub(rf"\1{sign}\2", parts[number])
        parts[number] = _MOST.sub(rf"\1\2{sign}\3", parts[number])
    return "".join(parts) + line[place:]


def sign_of(language: str) -> str:
    """Return the sign before the decimal places."""
    known = catalogue(language)
    return known.text(DECIMAL)[1] if known else "."
