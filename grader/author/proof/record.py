"""Records which check caught which mutant when the author last agreed, so that a weaker check shows.

The record, `solutions/weekN/caught.json`, is written by `validate --record` and committed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from grader.errors import CourseError
from grader.files import write_atomically
from grader.results import Outcome, Report

Caught = Mapping[str, Collection[str]]  # by mutant, the ids of the checks that took points from it


def file_of(root: Path, week: str) -> Path:
    return root / "solutions" / week / "caught.json"


def catching(report: Report, tasks: Collection[str]) -> list[str]:
    """Return the checks of these tasks that a mutant does not pass."""
    return sorted(c.id for c in report.checks if c.task in tasks and c.outcome is not Outcome.PASSED)


def load(root: Path, week: str) -> dict[str, list[str]]:
    """Load the record, empty where there is none. `CourseError` where it cannot be read."""
    file = file_of(root, week)
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except ValueError as error:
        found = error
    if isinstance(found, dict) and all(isinstance(checks, list) for checks in found.values()):
        return found
    raise CourseError(f"{file}: this is no record of caught mutants; write it anew with `validate {week} --record`")


def save(root: Path, week: str, caught: Caught) -> Path:
    """Write the record, one mutant a line, so that a diff shows what changed."""
    lines = [f"  {json.dumps(name)}: {json.dumps(sorted(caught[name]))}" for name in sorted(caught)]
    write_atomically(file_of(root, week), "{\n" + ",\n".join(lines) + "\n}\n", for_others=True)
    return file_of(root, week)
