"""Defines a person of the class, as the gradebook keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from grader.people.identity import BRIGHTSPACE, CANVAS, EMAIL, ENTRY, ID, LOGIN, NAME, SHORT, SID, Mark, family

HAND = "hand"  # a name that somebody has chosen

# What a person is shown with, from the most telling on; a number of one assignment only where nothing else is known.
_IDS = (ID, SID, CANVAS, BRIGHTSPACE, "moodle", "anonymous")


@dataclass
class Person:
    """A person of the class. `key` never changes, and is 0 until the gradebook has given one.

    `name` is what pages show, and no other person has it; `called` is the name before those of one name were told
    apart, and `named_by` says where it comes from: an entry, a roster or a decision. `folder` holds the reports,
    whatever the name becomes. `listed` says that the last roster has them. `handed` holds the weeks that the class
    folder has of them, and `gone` those that it had in an earlier run.
    """

    name: str
    called: str = ""
    key: int = 0
    named_by: str = ENTRY
    folder: str = ""
    section: str = ""
    group: str = ""
    listed: bool = False
    marks: list[Mark] = field(default_factory=list)  # the newest last
    handed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.called = self.called or self.name

    def values(self, kind: str) -> list[str]:
        """Return all values of a kind, of every week where it is for one, the newest first."""
        return [value for own, value in reversed(self.marks) if own == kind or family(own) == kind]

    def learn(self, marks: Iterable[Mark]) -> None:
        """Add marks, as the newest ones."""
        for mark in marks:
            if mark in self.marks:
                self.marks.remove(mark)
            self.marks.append(mark)

    def absorb(self, other: Person) -> None:
        """Take over all that is known of another, who is the same; what is one's own stays the newest."""
        theirs = [*other.marks, (NAME, other.called)]
        self.marks = [*(mark for mark in theirs if mark not in self.marks), *self.marks]
        self.handed, self.gone = self.handed | other.handed, (self.gone | other.gone) - self.handed - other.handed
        if other.listed and not self.listed:
            self.listed, self.section, self.group = True, other.section, other.group
            if self.named_by != HAND:
                self.called, self.named_by = other.called, other.named_by

    @property
    def id(self) -> str:
        """The id that tells most."""
        return self._first(*_IDS)

    @property
    def email(self) -> str:
        return self._first(EMAIL)

    @property
    def login(self) -> str:
        return self._first(LOGIN)

    @property
    def telling(self) -> str:
        """The one mark that tells the person from others of the same name; empty where there is none."""
        return self._first(ID, EMAIL, LOGIN, *_IDS[1:])

    @property
    def names(self) -> list[str]:
        """Every name that the person has or had, as people write it."""
        return list(dict.fromkeys([self.name, self.called, *self.values(NAME), *self.values(ENTRY)]))

    @property
    def shorts(self) -> list[str]:
        """Every name that is written without blanks."""
        return self.values(SHORT)

    @property
    def is_gone(self) -> bool:
        """Tell whether the class folder had something of this person once, and has nothing now."""
        return bool(self.gone) and not self.handed

    @property
    def lost(self) -> str:
        """Name the person, with the weeks where only some are gone; empty where nothing is."""
        weeks = sorted(week for week in self.gone if week)
        if not self.gone or self.is_gone or not weeks:
            return self.name if self.is_gone else ""
        return f"{self.name} ({', '.join(weeks)})"

    def _first(self, *kinds: str) -> str:
        return next((value for kind in kinds for value in self.values(kind)), "")
