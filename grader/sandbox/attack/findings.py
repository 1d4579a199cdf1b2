"""Defines what an attack is, and what is found out by one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.sandbox.attack.ground import Ground


class Promised(Enum):
    """Where .github/SECURITY.md promises that an attack fails."""

    ALWAYS = "with and without a sandbox"
    CONFINED = "in the sandbox"
    NEVER = "nowhere"


class Verdict(StrEnum):
    """What came of an attack. `UNCLEAR` is no fault of the sandbox, but nobody may rely on the promise either."""

    HELD = "held"
    NOT_HELD = "NOT HELD"
    OPEN = "not promised"  # it got through, where nobody has promised that it would not
    UNTRIED = "cannot be tried here"
    UNCLEAR = "UNCLEAR"


@dataclass(frozen=True)
class Seen:
    """What was seen of an attack, and whether it failed."""

    held: bool
    saw: str


@dataclass(frozen=True)
class Attack:
    """One thing that is tried. `run` raises `CannotTry` where this machine lacks what it takes."""

    tries: str
    run: Callable[[Ground], Seen]
    promised: Promised = Promised.CONFINED


@dataclass(frozen=True)
class Group:
    """The attacks on one promise."""

    name: str
    promise: str
    attacks: tuple[Attack, ...]


@dataclass(frozen=True)
class Finding:
    """What came of one attack, in a line."""

    group: str
    promise: str
    tries: str
    verdict: Verdict
    saw: str


class CannotTry(Exception):
    """This machine has nothing to attack, or not what the attack needs; the text says what is missing."""


def nothing(found: list[str], otherwise: str) -> Seen:
    """Judge an attack that returns what got through."""
    return Seen(not found, f"got through: {', '.join(found)}" if found else otherwise)
