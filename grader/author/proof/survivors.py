"""Reads why generated mutants may survive, and why checks may draw nothing: `solutions/weekN/survivors.toml`.

[[survivor]]
id = "inspection-shift-number-42da07"    # as `validate --mutate` names it
line = "fig, ax = plt.subplots("         # or instead of `id`: the beginning of the lines that it changes
kind = "equivalent"                      # no behaviour changes; or "accepted": it does, and the contract allows it
why = "How large a figure is, is up to the student."

[[fixed]]
check = "test_hidden.py::test_seeds"     # passes on what the reference answered under another seed
why = "It compares two runs with each other, whatever they give."
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.author.proof.operators import GeneratedMutant
from grader.course.toml_file import TomlFile
from grader.errors import CourseError

KINDS = ("equivalent", "accepted")


@dataclass(frozen=True)
class Reason:
    """The reason why a generated mutant may survive; either `id` or `line` names the mutant."""

    kind: str
    why: str
    id: str = ""
    line: str = ""

    def explains(self, mutant: GeneratedMutant) -> bool:
        return mutant.id == self.id if self.id else mutant.before.startswith(self.line)


def load_reasons(root: Path, week: str) -> list[Reason]:
    """Load a week's reasons, none where there is no such file. `CourseError` names what is wrong with one."""
    file, tables = _tables(root, week, "survivor")
    for number, table in enumerate(tables, 1):
        wrong = set(table) - {"kind", "why", "id", "line"}
        if wrong or table.get("kind") not in KINDS or not table.get("why") or ("id" in table) == ("line" in table):
            raise CourseError(f"{file}: survivor {number}: it has an `id` or a `line`, a `kind` ({KINDS}) and a `why`")
    return [Reason(**table) for table in tables]


def load_fixed(root: Path, week: str) -> dict[str, str]:
    """Load why checks may draw nothing, by the checks' ids. `CourseError` names what is wrong with one."""
    file, tables = _tables(root, week, "fixed")
    for number, table in enumerate(tables, 1):
        if set(table) != {"check", "why"} or not all(isinstance(one, str) and one for one in table.values()):
            raise CourseError(f"{file}: [[fixed]] number {number}: it has a `check` and a `why`, and nothing else")
    return {table["check"]: table["why"] for table in tables}


def _tables(root: Path, week: str, kind: str) -> tuple[Path, list[dict[str, Any]]]:
    """Return the file, and its tables of that kind; none where there is no such file."""
    file = root / "solutions" / week / "survivors.toml"
    if not file.is_file():
        return file, []
    given = TomlFile(file)
    given.refuse_unknown(("survivor", "fixed"))
    given.finish()
    return file, given.data.get(kind, [])


def unexplained(survivors: Iterable[GeneratedMutant], reasons: Sequence[Reason]) -> list[GeneratedMutant]:
    """Return the survivors that no reason covers."""
    return [mutant for mutant in survivors if not any(reason.explains(mutant) for reason in reasons)]


def idle_reasons(survivors: Sequence[GeneratedMutant], reasons: Sequence[Reason]) -> list[Reason]:
    """Return the reasons that cover no survivor any more: they are out of date."""
    return [reason for reason in reasons if not any(reason.explains(mutant) for mutant in survivors)]
