"""Draws exhibits and histograms as SVG: turns values into coordinates for the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.reports.figures import BINS, WeekFigures
from grader.results.exhibits import Confusion, Curve

WIDTH, HEIGHT = 320, 120  # of a curve's drawing, without its labels


def line(curve: Curve) -> str:
    """Return the student's values as points of an SVG polyline."""
    return _points(curve, curve.values)


def band(curve: Curve) -> str:
    """Return the reference's range as points of an SVG polygon."""
    return f"{_points(curve, curve.high)} {_points(curve, curve.low, backwards=True)}"


def _points(curve: Curve, values: Sequence[float], backwards: bool = False) -> str:
    last = max(1, len(curve.values) - 1, len(curve.high) - 1)
    points = [
        f"{place * WIDTH / last:.1f},{HEIGHT * (1 - min(max(value / curve.top, 0.0), 1.0)):.1f}"
        for place, value in enumerate(values)
    ]
    return " ".join(reversed(points) if backwards else points)


def shade(confusion: Confusion, row: int, column: int) -> int:
    """Return how dark a cell of the matrix is: from 0 for none to 5 for a whole row."""
    whole = sum(confusion.counts[row]) or 1
    return -(-5 * confusion.counts[row][column] // whole)


@dataclass(frozen=True)
class Column:
    """One bar of a histogram, in units of its drawing: `WIDTH` wide, 100 high without the labels."""

    x: int
    height: float
    count: int
    label: str


def columns(figures: WeekFigures) -> list[Column]:
    """Return the histogram of a week's final scores, in tenths of the possible points."""
    counts = figures.bins()
    most = max(1, *counts)
    starts = [100 * i // BINS for i in range(BINS)]
    ends = [*(start - 1 for start in starts[1:]), 100]
    return [
        Column(i * WIDTH // BINS, round(100 * n / most, 1), n, f"{starts[i]} to {ends[i]} %")
        for i, n in enumerate(counts)
    ]
