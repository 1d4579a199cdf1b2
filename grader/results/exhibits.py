"""Holds what a check shows beside its verdict: how a network learned, what it confuses, its surest mistakes.

An exhibit is plain data, small enough to travel in a report; `grader.reports.drawing` draws it. It never
changes a score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True)
class Curve:
    """A value for each `per` steps, and the range of the reference's values."""

    kind: ClassVar[str] = "curve"
    title: str
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    per: int

    @property
    def top(self) -> float:
        """The upper end of the drawing; values far above the reference are cut off, so that it stays readable."""
        return min(max((*self.values, *self.high)), 2 * max(self.high)) or 1.0

    @property
    def inside(self) -> int:
        """The number of values within the reference's range, or on its better side."""
        return sum(value <= high for value, high in zip(self.values, self.high, strict=False))


@dataclass(frozen=True)
class Confusion:
    """Counts how often each class (a row) was taken for each class (a column)."""

    kind: ClassVar[str] = "confusion"
    title: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def commonest(self) -> list[tuple[str, str, int]]:
        """The three commonest confusions: the right class, what it was taken for, how often."""
        wrong = [
            (count, right, taken)
            for right, row in enumerate(self.counts)
            for taken, count in enumerate(row)
            if right != taken and count
        ]
        wrong.sort(key=lambda entry: (-entry[0], entry[1:]))
        return [(self.names[right], self.names[taken], count) for count, right, taken in wrong[:3]]


@dataclass(frozen=True)
class Mistake:
    """One image that was taken for something else; `png` is base64, `sure` the probability of what it was taken for."""

    png: str
    right: str
    taken: str
    sure: float


@dataclass(frozen=True)
class Mistakes:
    """The wrong answers that the network was surest of, the surest first."""

    kind: ClassVar[str] = "mistakes"
    title: str
    entries: tuple[Mistake, ...]


Exhibit = Curve | Confusion | Mistakes


def to_dict(exhibit: Exhibit) -> dict[str, Any]:
    """Return an exhibit as JSON holds it."""
    data = {"kind": exhibit.kind, **{field.name: getattr(exhibit, field.name) for field in fields(exhibit)}}
    return {**data, "entries": tuple(map(asdict, exhibit.entries))} if isinstance(exhibit, Mistakes) else data


def from_dict(data: Mapping[str, Any]) -> Exhibit:
    """Undo `to_dict`; KeyError or TypeError where `data` is no exhibit."""
    fields = {name: _tuples(value) for name, value in data.items() if name != "kind"}
    if data["kind"] == Mistakes.kind:
        fields["entries"] = tuple(Mistake(**entry) for entry in data["entries"])
    return {kind.kind: kind for kind in (Curve, Confusion, Mistakes)}[data["kind"]](**fields)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value
