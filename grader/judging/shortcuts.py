"""Names what a judge does to save work, so that each piece of it can be switched off.

A grade must not depend on any of them: `NONE` judges the slow, obvious way, and a test compares the reports of both.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Shortcuts:
    """Switches, each on by default. tests/benchmarks/RESULTS.md says what each earns."""

    replay: bool = True  # evidence that is the same to the byte is not judged twice (`replay.py`)
    examples: bool = True  # Hypothesis draws once for a class (`examples.py`)
    memo: bool = True  # a check works out once what does not depend on the student (`checks/memo.py`)
    shared: bool = True  # checks that pass follow each other in one process (`remote_student.py`)
    rehearsal: bool = True  # the zygote runs coursework of ours before it forks (`inside/rehearsal/`)
    pages: bool = True  # forks share large pages and few mappings (`inside/memory.py`)
    # Judges and the zygote import what coursework may use, before they fork. `NONE` does so, too: imports in a check
    # would count against its time. Tests of little courses do without.
    imports: bool = True

    @property
    def inside(self) -> tuple[str, ...]:
        """The names of those that the worker has to leave out."""
        return tuple(name for name in ("imports", "rehearsal", "pages") if not getattr(self, name))

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of those that are off."""
        return tuple(field.name for field in fields(self) if not getattr(self, field.name))


NAMES = tuple(field.name for field in fields(Shortcuts) if field.name != "imports")


def without(names: Collection[str]) -> Shortcuts:
    """Return all shortcuts but these."""
    return replace(Shortcuts(), **dict.fromkeys(names, False))


NONE = without(NAMES)
