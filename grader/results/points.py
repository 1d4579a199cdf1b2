"""Adds up, reads and writes points: checks give whole ones, and people may give hundredths.

Points are `int` where they are whole and `float` where they are not, and never have more than two places. All sums and
differences go through `total`, so that no file shows what binary fractions make of 0.1 + 0.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

PLACES = "a number with at most two decimal places"
_WRITTEN = re.compile(r"(\d{1,6})(?:[.,](\d{1,2})0*)?")  # a spreadsheet may write 4 as 4.0, and 2.5 as 2,50


def total(points: Iterable[float]) -> float:
    """Add up points; their sum has two places at most, and is an `int` where it is whole."""
    return _from_hundredths(sum(round(100 * one) for one in points))


def share_of(points: float, percent: int) -> int:
    """Return a percentage of points, rounded down to whole points."""
    return round(100 * points) * percent // 10_000


def read_points(text: str) -> float | None:
    """Read points as people write them, with a point or a comma; None where the text is nothing of the kind."""
    said = _WRITTEN.fullmatch(text.strip())
    return _from_hundredths(100 * int(said[1]) + int((said[2] or "").ljust(2, "0"))) if said else None


def has_two_places(points: float) -> bool:
    """Tell whether a number has no more decimal places than points may have."""
    return math.isfinite(points) and points == round(points, 2)


def whole(points: float) -> int:
    """Return points for a system that takes whole ones only: the nearest, and of a half the greater."""
    return (round(100 * points) + 50) // 100


def signed(points: float) -> str:
    """Write a change of points with its sign."""
    return f"{points:+d}" if isinstance(points, int) else f"{points:+}"


def _from_hundredths(hundredths: int) -> float:
    whole_points, rest = divmod(hundredths, 100)
    return hundredths / 100 if rest else whole_points
