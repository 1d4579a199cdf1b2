"""Defines an identity: all that a platform, a roster or an entry's name says of who somebody is."""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = ""  # no platform: the entry's name is all that there is
ROSTER = "roster"


@dataclass(frozen=True)
class Identity:
    """Who somebody is, in a platform's own words; what it does not say is empty.

    `platform` is the layout's name, `PLAIN` or `ROSTER`, and `id` is a number or code of that platform. A Moodle
    participant's number and the id of an anonymous student belong to one assignment only. `name` is empty where the
    platform hides it, and without blanks where it writes `silvaana` for Ana Silva.
    """

    name: str
    platform: str = PLAIN
    id: str = ""
    login: str = ""
    email: str = ""
