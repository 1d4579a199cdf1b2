"""Defines an identity: all that a platform, a roster or an entry's name says of who somebody is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PLAIN = ""  # no platform: the entry's name is all that there is
ROSTER = "roster"

Mark = tuple[str, str]  # a kind and a value by which a person is known

NAME = "name"  # as people write it
SHORT = "short"  # as Canvas writes it, without blanks
ENTRY = "entry"  # of a folder or file that no platform has named
EMAIL = "email"
LOGIN = "login"
ID = "id"  # the roster's, which may be any system's
CANVAS = "canvas"
SID = "sid"  # Gradescope's student id
ALSO = "also"  # another number, of whatever system

BRIGHTSPACE = "brightspace"
MOODLE = "moodle"
ANONYMOUS = "anonymous"  # students of Canvas whose names it hides
_BY_ASSIGNMENT = (MOODLE, ANONYMOUS)  # platforms, and their kinds of numbers, which are for one assignment only


@dataclass(frozen=True)
class Identity:
    """Who somebody is, in a platform's own words; what it does not say is empty.

    `platform` is the layout's name, `PLAIN`, `ROSTER`, or `anonymous` where Canvas hides who it is; `id` is a number
    or code of that platform. A Moodle participant's number and the id of an anonymous student belong to one assignment
    only. `name` is empty where the platform hides it, and without blanks where it writes `silvaana` for Ana Silva.
    """

    name: str
    platform: str = PLAIN
    id: str = ""
    login: str = ""
    email: str = ""
    also: str = ""

    def marks(self, weeks: Iterable[str] = ()) -> list[Mark]:
        """Return all by which the person can be known again, for an entry that holds these weeks."""
        found = [(ALSO, self.also), (EMAIL, self.email), (LOGIN, self.login), *self._ids(weeks), *self._names()]
        return [(kind, value.strip()) for kind, value in found if value.strip()]

    @property
    def has_name(self) -> bool:
        """Tell whether there is a name as people write it."""
        return bool(self.name) and self.platform != CANVAS

    def _ids(self, weeks: Iterable[str]) -> Iterator[Mark]:
        if self.platform in _BY_ASSIGNMENT:
            yield from ((of_week(self.platform, week), self.id) for week in weeks or ("",))
        elif self.platform == "gradescope":
            yield SID, self.id
        elif self.platform == BRIGHTSPACE:
            yield BRIGHTSPACE, self.id
        else:
            yield (CANVAS if self.platform == "canvas" else ID), self.id

    def _names(self) -> list[Mark]:
        if self.platform == "canvas":
            return [(SHORT, self.name)]
        return [(NAME, self.name), *([(ENTRY, self.name)] if self.platform == PLAIN else [])]


def of_week(kind: str, week: str) -> str:
    """Name a kind of number that is for one week's assignment alone."""
    return f"{kind} {week}".rstrip()


def family(kind: str) -> str:
    """Return a kind without its week."""
    return kind.partition(" ")[0]


def is_single(kind: str) -> bool:
    """Tell whether nobody has two values of this kind, so that different values are different people.

    Of numbers for an assignment, those are where it is known for which.
    """
    return kind in (EMAIL, LOGIN, ID, CANVAS, SID, BRIGHTSPACE) or (
        kind != family(kind) and family(kind) in _BY_ASSIGNMENT
    )
