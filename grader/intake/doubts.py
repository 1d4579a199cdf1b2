"""Stops what would give students to a gradebook who are none, and asks where two downloads have one student's week."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from grader.errors import UsageError
from grader.intake.candidate import Candidate
from grader.intake.collect import Collected
from grader.intake.layouts import PLAIN, Evidence

FEWEST = 3  # students of whom "most" means something


def refuse_phantoms(folder: Path, candidates: Sequence[Candidate], evidence: Evidence) -> None:
    """Raise `UsageError` where most of a class lack modules: then the folder is something else than it was taken for.

    What cannot be read, and what is there for another week, is no sign of that.
    """
    by_student = {name: list(theirs) for name, theirs in groupby(candidates, lambda one: one.student)}
    lacking = [name for name, theirs in by_student.items() if all(map(_lacks, theirs))]
    if len(by_student) < FEWEST or len(lacking) * 2 <= len(by_student):
        return
    names = ", ".join(lacking[:3]) + (", …" if len(lacking) > 3 else "")
    raise UsageError(
        f"{folder}: taken for a class of one entry a student, {len(lacking)} of {len(by_student)} students would lack "
        f"modules ({names}); {_seen(by_student, lacking, evidence)}. Give another folder, or go on with "
        f"--layout {PLAIN} if these are your students"
    )


def _lacks(candidate: Candidate) -> bool:
    place, weeks = candidate.place, candidate.weeks
    if place is None or weeks is None:
        return candidate.is_empty
    lacked = set(weeks.assignments[place.week].modules) - set(place.modules) - set(place.borrowed)
    return bool(lacked) and not place.notebooks


def _seen(by_student: Mapping[str, Sequence[Candidate]], lacking: Sequence[str], evidence: Evidence) -> str:
    """Say what the folder looks like instead."""
    if evidence.fitting:
        return (
            f"{evidence.fitting} entries are named as {evidence.platform} does, so that it looks like a download from "
            f"there with much beside it: --layout {evidence.layout}"
        )
    modules = [
        module for name in lacking for one in by_student[name] for module in (one.place.modules if one.place else ())
    ]
    if not modules:
        return "it looks like a folder of something else, as nearly nothing in it is work of this course"
    if len(set(modules)) == len(modules):
        return "it looks like the files of one student, as no two entries hold the same module"
    return "it looks like single files of students, or like a week that nobody has finished"


def once_each(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Keep one candidate for each student's week, though several downloads may have it."""
    return tuple(_the_one(list(same)) for _, same in groupby(candidates, lambda one: (one.student, one.week or "")))


def _the_one(same: Sequence[Candidate]) -> Candidate:
    """Take any of those that are alike; of others nobody can tell which counts."""
    digests = {one.collected.digest for one in same if isinstance(one.collected, Collected)}
    usable = [one for one in same if isinstance(one.collected, Collected)]
    if len(digests) <= 1:
        return (usable or list(same))[0]
    places = ", ".join(sorted({f"{one.path.parent.name}/{one.path.name}" for one in usable}))
    problem = f"{same[0].week} was handed in differently in several downloads ({places}): keep the one that counts"
    return replace(usable[0], place=None, collected=None, problem=problem)
