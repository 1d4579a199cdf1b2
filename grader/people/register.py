"""Keeps who is in the class: puts the lines of a roster and the entries of a class folder to the people known.

What belongs to one person alone decides first, then names (`matching`). Entries that are left over and hold the very
work of somebody whose entry is gone are that person, renamed, if the names are related too. All others are new people.
Where two entries or two people fit as well as each other, nothing is decided: it is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from grader.errors import UsageError
from grader.people.identity import CANVAS, ENTRY, NAME, PLAIN, ROSTER, Identity, Mark, is_single
from grader.people.matching import LEVELS, Index, differ
from grader.people.naming import are_related, caseless, safe_name, same_name
from grader.people.person import HAND, Person

Work = frozenset[tuple[str, str]]  # weeks, each with the digest of what was handed in


@dataclass(frozen=True)
class Entry:
    """Somebody's entry of a class folder, or line of a roster; `label` is how the layout calls them."""

    who: Identity
    label: str
    weeks: frozenset[str] = frozenset()
    work: Work = frozenset()
    listed: bool = False  # on the roster

    @property
    def marks(self) -> list[Mark]:
        return self.who.marks(sorted(self.weeks))

    @property
    def source(self) -> str:
        """Where it stands, in words."""
        return "the roster" if self.listed else "the class folder"

    @property
    def name(self) -> str:
        """The person's name as far as this tells it."""
        return self.label if self.who.platform in (CANVAS, PLAIN) else self.who.name or self.label

    def excludes(self, other: Entry) -> bool:
        """Tell whether the two cannot be one person: two lines of a roster, or two entries for the same week."""
        return (self.listed and other.listed) or bool(self.weeks & other.weeks)


class Register:
    """The people of a class. `merged` and `said` hold what was found out, for the gradebook and for people."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self._index = Index(people)
        self._placed: dict[int, list[Entry]] = {}  # by the person's object
        self.merged: list[tuple[Person, Person]] = []  # who was absorbed, and by whom
        self.said: list[str] = []
        self._before = {id(person): person.name for person in self.people}

    @property
    def people(self) -> list[Person]:
        return self._index.people

    def place(
        self, entries: Sequence[Entry], gone: Callable[[Collection[int]], Sequence[tuple[Person, Work]]] | None = None
    ) -> list[Person]:
        """Return the person of each entry, in their order; new people are made for those that nobody fits.

        `gone`, called with the keys of those who have an entry, returns people whose entry is there no longer, with
        their work.
        """
        self._placed = {}
        self._index.consider(mark for entry in entries for mark in entry.marks)
        persons: list[Person | None] = [None] * len(entries)
        self._by_marks(entries, persons)
        for level in range(LEVELS):
            self._by_names(entries, persons, level)
        if gone:
            self._by_work(entries, persons, gone({person.key for person in persons if person and person.key}))
        self._anew(entries, persons)
        return [person for person in persons if person is not None]

    def name_all(self) -> list[tuple[Person, str]]:
        """Give everybody a name that nobody else has; return whose name changed, with the one before."""
        alike: dict[str, list[Person]] = {}
        for person in self.people:
            alike.setdefault(caseless(person.called), []).append(person)
        taken = {caseless(people[0].called) for people in alike.values() if len(people) == 1}
        for people in alike.values():
            if len(people) == 1:
                people[0].name = people[0].called
                continue
            for person in sorted(people, key=lambda one: (one.named_by != HAND, not one.key, one.key)):
                person.name = _free(_told_apart(person), taken)
                taken.add(caseless(person.name))
        self._house()
        return [(one, before) for one in self.people if (before := self._before.get(id(one), one.name)) != one.name]

    def absorb(self, person: Person, into: Person) -> None:
        """Make two people one."""
        self._index.absorb(person, into)
        self.merged.append((person, into))

    def find(self, entry: Entry) -> Person | None:
        """Return who of the people known an entry is; None where it is nobody, or may be several. Nothing is noted."""
        for people in (*self._index.known(entry.who, entry.weeks), *self._index.like(entry.who, entry.weeks)):
            if people:
                return people[0] if len(people) == 1 else None
        return None

    def current(self, person: Person) -> Person:
        """Return who somebody is now, who may have been absorbed by another."""
        into = next((other for one, other in self.merged if one is person), None)
        return person if into is None else self.current(into)

    # The ways to know somebody, the surest first

    def _by_marks(self, entries: Sequence[Entry], persons: list[Person | None]) -> None:
        for number, entry in enumerate(entries):
            found = self._known(entry)
            if found is not None:
                self._put(number, entry, found, persons)

    def _known(self, entry: Entry) -> Person | None:
        fits = [people[0] for people in self._index.known(entry.who, entry.weeks) if len(people) == 1]
        unique = list({id(person): person for person in fits}.values())
        for other in unique[1:]:
            one = unique[0]
            if not entry.listed and (entry.who.platform == PLAIN or self._index.conflict(one, other.marks)):
                self.said.append(
                    f"{entry.label} has marks of two people, {one.name} and {other.name}; taken for neither"
                )
                return None
            if self._index.conflict(one, other.marks):
                raise UsageError(
                    f"the roster: {entry.label} has marks of two people, {one.name} and {other.name}; mend the roster, "
                    f'or join them: people merge "{other.name}" "{one.name}"'
                )
            self.said.append(f"{other.name} is the same person as {one.name}: {entry.source} has the marks of both")
            self.absorb(other, one)
        return unique[0] if unique else None

    def _by_names(self, entries: Sequence[Entry], persons: list[Person | None], level: int) -> None:
        claims: dict[int, tuple[Person, list[int]]] = {}
        for number, entry in enumerate(entries):
            if persons[number] is not None:
                continue
            levels = [self._free_for(entry, people) for people in self._index.like(entry.who, entry.weeks)]
            if any(levels[:level]) or len(levels) <= level or len(levels[level]) != 1:
                continue  # what a stricter comparison could not decide, a more liberal one does not
            (person,) = levels[level]
            claims.setdefault(id(person), (person, []))[1].append(number)
        for person, numbers in claims.values():
            theirs = [entries[number] for number in numbers]
            if not any(a.excludes(b) or differ(a.marks, b.marks) for i, a in enumerate(theirs) for b in theirs[:i]):
                for number in numbers:
                    self._put(number, entries[number], person, persons)

    def _free_for(self, entry: Entry, people: Sequence[Person]) -> list[Person]:
        return [one for one in people if not any(entry.excludes(other) for other in self._placed.get(id(one), ()))]

    def _by_work(
        self, entries: Sequence[Entry], persons: list[Person | None], gone: Sequence[tuple[Person, Work]]
    ) -> None:
        before = Counter(piece for _, work in gone for piece in work)
        now = Counter(piece for entry in entries for piece in entry.work)
        for number, entry in enumerate(entries):
            if persons[number] is not None:
                continue
            own = {piece for piece in entry.work if now[piece] == before[piece] == 1}
            fits = [person for person, work in gone if own & work and not self._index.conflict(person, entry.marks)]
            if len(fits) != 1 or self._placed.get(id(fits[0])):
                continue
            if any(are_related(entry.who.name or entry.label, name) for name in (*fits[0].names, *fits[0].shorts)):
                self._put(number, entry, fits[0], persons)
            else:
                merge = f'people merge "{fits[0].name}" "{entry.label}"'
                self.said.append(
                    f"{entry.label} handed in the files of {fits[0].name}, who is gone; if one person: {merge}"
                )

    def _anew(self, entries: Sequence[Entry], persons: list[Person | None]) -> None:
        groups: dict[object, list[int]] = {}
        for number, entry in enumerate(entries):
            if persons[number] is None:
                joins = (
                    entry.who.name and entry.who.platform != CANVAS and not entry.listed and not self._namesakes(entry)
                )
                groups.setdefault(same_name(entry.who.name) if joins else number, []).append(number)
        for numbers in groups.values():
            theirs = [entries[number] for number in numbers]
            several = any(a.excludes(b) or differ(a.marks, b.marks) for i, a in enumerate(theirs) for b in theirs[:i])
            for part in [[number] for number in numbers] if several else [numbers]:
                person = Person(entries[part[0]].label, entries[part[0]].name)
                self._index.add(person)
                for number in part:
                    self._put(number, entries[number], person, persons)

    def _namesakes(self, entry: Entry) -> bool:
        return any(people for people in self._index.like(entry.who, entry.weeks))

    def _put(self, number: int, entry: Entry, person: Person, persons: list[Person | None]) -> None:
        persons[number] = person
        self._placed.setdefault(id(person), []).append(entry)
        self._index.learn(person, [mark for mark in entry.marks if self._may_have(person, mark)])
        if entry.listed and person.named_by != HAND:
            person.called, person.named_by = entry.name, ROSTER
        elif person.named_by == ENTRY and (entry.who.has_name or not person.values(NAME)):
            person.called = entry.name

    def _may_have(self, person: Person, mark: Mark) -> bool:
        return not is_single(mark[0]) or all(owner is person for owner in self._index.owners(mark))

    def _house(self) -> None:
        """Give a folder of their own to those who have none."""
        taken = {caseless(person.folder) for person in self.people if person.folder}
        for person in self.people:
            if not person.folder:
                person.folder = _free_folder(person.name, taken)
                taken.add(caseless(person.folder))


def _told_apart(person: Person) -> str:
    telling = person.telling
    return f"{person.called} ({telling})" if telling and f"({telling})" not in person.called else person.called


def _free(name: str, taken: Collection[str]) -> str:
    unique, number = name, 1
    while caseless(unique) in taken:
        number += 1
        unique = f"{name} ({number})"
    return unique


def _free_folder(name: str, taken: Collection[str]) -> str:
    unique, number = safe_name(name), 1
    while caseless(unique) in taken:
        number += 1
        unique = safe_name(f"{name} ({number})")
    return unique
