"""Finds whom a decision concerns: a person, those who share the work, or all members of a group."""

from __future__ import annotations

from collections.abc import Sequence

from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.people.naming import same_name
from grader.people.person import Person
from grader.people.resolve import find_person


class Teams:
    """The people of a gradebook, and who shares work with whom."""

    def __init__(self, book: Gradebook) -> None:
        self.people = book.people()
        self._work = {name: dict(work) for name, work in book.work().items()}
        self._members: dict[tuple[str, ...], list[Person]] = {}  # of each group that somebody is in
        for one in self.people:
            if one.group and not one.is_gone:
                self._members.setdefault(same_name(one.group), []).append(one)

    def find(self, words: str) -> list[Person]:
        """Return the person who is meant, or the members of the group that is called so."""
        try:
            return [find_person(self.people, words)]
        except UsageError:
            members = self._members.get(same_name(words), [])
            if not members:
                raise
            return list(members)

    def mates(self, person: Person, week: str) -> list[Person]:
        """Return the others of a person's group who have the same work of a week, or none as this one."""
        if not person.group:
            return []
        members, work = self._members.get(same_name(person.group), ()), self._work_of(person, week)
        return [
            one for one in members if one is not person and week not in one.gone and self._work_of(one, week) == work
        ]

    def of(self, people: Sequence[Person], week: str) -> list[Person]:
        """Return these people, and who shares the work of one of them."""
        found = {person.name: person for person in people}
        for person in people:
            found |= {mate.name: mate for mate in self.mates(person, week)}
        return list(found.values())

    def _work_of(self, person: Person, week: str) -> str:
        return self._work.get(person.name, {}).get(week, "")
