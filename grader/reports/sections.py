"""Divides a class into its sections: the whole class, each section by its exact name, and who has none."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from grader.people.naming import folded, visible
from grader.people.person import Person
from grader.reports.figures import Row, headcount

EVERYBODY, NOBODYS = "Everybody", "No section"


@dataclass(frozen=True)
class Section:
    """Some students of a class, whom all figures can follow. `name` is empty for the class, and for who has none."""

    title: str
    name: str
    rows: tuple[Row, ...]
    people: tuple[Person, ...]
    is_whole: bool = False

    @property
    def size(self) -> int:
        """How many students there are, as far as anybody knows."""
        return headcount(self.rows)

    @property
    def address(self) -> str:
        """The part of the page's address that chooses this section."""
        return "" if self.is_whole else urlencode({"section": self.name}, errors="backslashreplace")


def sections_of(rows: Sequence[Row], people: Sequence[Person]) -> list[Section]:
    """Return the whole class first, then its sections in order, then who has none; only the class if it has none."""
    whole = Section(EVERYBODY, "", tuple(rows), tuple(people), is_whole=True)
    names = {section_name(one) for one in (*(row.person for row in rows), *people)}
    if not any(names):
        return [whole]
    ordered = sorted(names, key=_by_number)
    return [whole, *(_section(_titled(name, names), name, rows, people) for name in ordered)]


def section_name(person: Person) -> str:
    """Return the section's name as it is seen, so that no two sections look the same."""
    return visible(person.section) if person.section.strip() else ""


def _titled(name: str, names: Collection[str]) -> str:
    """Write `B` as `Section B`, unless another section is called that, and leave `Gruppe 3` as it is."""
    longer = f"Section {name}"
    return longer if re.fullmatch(r"\w{1,3}", name) and longer not in names else name or NOBODYS


def _section(title: str, name: str, rows: Sequence[Row], people: Sequence[Person]) -> Section:
    return Section(
        title,
        name,
        tuple(row for row in rows if section_name(row.person) == name),
        tuple(person for person in people if section_name(person) == name),
    )


def _by_number(name: str) -> tuple[bool, list[tuple[int, str]], str]:
    """Sort section 2 before section 10, and who has no section last."""
    parts = re.split(r"(\d{1,9})", folded(name))
    return not name, [(int(part) if part.isdecimal() else -1, part) for part in parts], name
