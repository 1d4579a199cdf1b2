"""Defines a candidate: one student's week as it was found in a class folder, graded or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import SubmissionError
from grader.intake.collect import Collected
from grader.intake.layouts import Handed, Part
from grader.intake.places import Place
from grader.intake.weeks import Weeks
from grader.people.identity import Identity


@dataclass(frozen=True)
class Candidate:
    """One student's week as it was found; with a `problem` it can only be reported. `week` is None if it is not known.

    `collected` is what lies at `place`, or why that cannot be graded; `load` looks at it. `is_empty` where its entry
    holds no work of any week.
    """

    student: str
    week: str | None
    path: Path
    place: Place | None = None
    weeks: Weeks | None = None
    problem: str = ""
    is_empty: bool = False
    handed: Handed | None = None  # what a platform's layout says of it
    collected: Collected | SubmissionError | None = field(default=None, repr=False, compare=False)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files that the entry is made of, where it is not one at `path`."""
        return self.handed.parts if self.handed else ()

    @property
    def files(self) -> tuple[str, ...]:
        """The modules and notebooks that it consists of, by their paths in the entry."""
        return tuple(dict.fromkeys([*self.place.modules.values(), *self.place.notebooks])) if self.place else ()

    @property
    def who(self) -> Identity:
        """What is known of the person; of an entry without a platform, the name alone."""
        return (self.handed and self.handed.who) or Identity(self.student)

    @property
    def is_late(self) -> bool:
        """Tell whether the platform calls it late."""
        return self.handed is not None and self.handed.late
