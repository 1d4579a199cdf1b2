"""Reads the reasons why generated mutants may survive: `solutions/weekN/survivors.toml`.

[[survivor]]
id = "inspection-shift-number-42da07"    # as `validate --mutate` names it
line = "fig, ax = plt.subplots("         # or instead of `id`: the beginning of the lines that it changes
kind = "equivalent"                      # no behaviour changes; or "accepted": it does, and the contract allows it
why = "How large a figure is, is up to the student."
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.author.proof.operators import GeneratedMutant
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
    file = root / "solutions" / week / "survivors.toml"
    if not file.is_file():
        return []
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8")).get("survivor", [])
    except ValueError as error:
        raise CourseError(f"{file}: cannot be read ({error}); mend it") from None
    for number, table in enumerate(tables, 1):
        wrong = set(table) - {"kind", "why", "id", "line"}
        if wrong or table.get("kind") not in KINDS or not table.get("why") or ("id" in table) == ("line" in table):
            raise CourseError(f"{file}: survivor {number}: it has an `id` or a `line`, a `kind` ({KINDS}) and a `why`")
    return [Reason(**table) for table in tables]


def unexplained(survivors: Iterable[GeneratedMutant], reasons: Sequence[Reason]) -> list[GeneratedMutant]:
    """Return the survivors that no reason covers."""
    return [mutant for mutant in survivors if not any(reason.explains(mutant) for reason in reasons)]


def idle_reasons(survivors: Sequence[GeneratedMutant], reasons: Sequence[Reason]) -> list[Reason]:
    """Return the reasons that cover no survivor any more: they are out of date."""
    return [reason for reason in reasons if not any(reason.explains(mutant) for mutant in survivors)]
