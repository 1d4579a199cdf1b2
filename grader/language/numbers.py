"""Writes numbers as people of a language read them: with its decimal sign.

What machines read is written by Python alone: CSV, JSON, attributes of elements, coordinates.
"""

from __future__ import annotations

import re

from grader.language.catalogue import catalogue

_BETWEEN = re.compile(r"(?<=\d)\.(?=\d)")
DECIMAL = "0.5"  # as a language writes it: its second character is that language's decimal sign
# In messages, numbers with a unit and points are prose. All others stay as Python writes them, which is what a
# student's own print shows.
_MEASURE = re.compile(r"(?<![\w.,\[(])(\d+)\.(\d+)(?= ?(?:%|°|s\b|ms\b|[KMG]i?B\b))")
_POINTS = re.compile(
    r"(?<![\w.,\[])(\d+)\.(\d{1,2})(?=(?: / | of | von )\d|/\d| points?\b| Punkte?n?\b|, and would be)"
)

_MOST = re.compile(r"(\d (?:of|von) |would be )(\d+)\.(\d{1,2})\b")


def written(value: float | str, language: str, places: int | None = None) -> str:
    """Return a number, or what Python has written of one, as people read it; `places` rounds it."""
    text = f"{value:.{places}f}" if places is not None and not isinstance(value, str) else str(value)
    return _BETWEEN.sub(sign_of(language), text)


def measured(message: str, language: str) -> str:
    """Return a message in which points, and numbers with a unit, are written as people read them."""
    sign = sign_of(language)
    if sign == ".":
        return message
    for numbers in (_MEASURE, _POINTS):
        message = numbers.sub(rf"\1{sign}\2", message)
    return _MOST.sub(rf"\1\2{sign}\3", message)


def sign_of(language: str) -> str:
    """Return the sign before the decimal places."""
    known = catalogue(language)
    return known.text(DECIMAL)[1] if known else "."
