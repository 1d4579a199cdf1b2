"""Says what was handed in, and all that decides whether it was in time: what a report shows beside the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

MOST_FILES = 40  # that a report names


def listed(files: Sequence[str]) -> tuple[str, ...]:
    """Return files as a report names them: the first ones, and how many more there are."""
    more = len(files) - MOST_FILES
    return (*files[:MOST_FILES], *([f"and {more} more"] if more > 0 else []))


@dataclass(frozen=True)
class Delivery:
    """One student's week as it was handed in; what nobody knows is empty.

    `files` are those that were read, by the names that the student gave them. `version` counts the different works of
    this week that were graded, this one included. Times are words, where the course is held; `extension` says how much
    more time was granted, and `due` when that ended. `members` are the people of the group, this one included.
    """

    files: tuple[str, ...] = ()
    version: int = 1
    at: str = ""
    due: str = ""
    extension: str = ""
    group: str = ""
    members: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what is known, as JSON holds it."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Delivery:
        """Undo `to_dict`."""
        more: dict[str, Any] = {}
        for one in fields(cls):
            value = data.get(one.name, one.default)
            more[one.name] = tuple(value) if isinstance(value, list) else value
        return cls(**more)
