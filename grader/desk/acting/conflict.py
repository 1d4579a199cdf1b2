"""Says what somebody else did in the meantime, beside what was to be done: nobody overwrites what they never saw."""

from __future__ import annotations

from collections.abc import Mapping

from grader.gradebook.together.actions import Outdated


class Conflict(Outdated):
    """A form that is out of date. `fields` would do the same to what holds now; nothing was done."""

    def __init__(self, about: str, theirs: str, yours: str, fields: Mapping[str, str]) -> None:
        super().__init__(f"{about}: somebody was quicker")
        self.about = about
        self.theirs = theirs
        self.yours = yours
        self.fields = dict(fields)
