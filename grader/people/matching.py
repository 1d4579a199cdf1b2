"""Finds who of the people known an identity may be: by what is theirs alone, else by the name.

Numbers, logins and addresses decide. A name decides only where it fits one person, and where nothing that is known of
both speaks against it: two numbers of one platform, or of one assignment, are two people.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from grader.people.identity import (
    ALSO,
    BRIGHTSPACE,
    CANVAS,
    EMAIL,
    ENTRY,
    ID,
    LOGIN,
    NAME,
    PLAIN,
    ROSTER,
    SHORT,
    SID,
    Identity,
    Mark,
    family,
    is_single,
)
from grader.people.naming import called, folded_name, letters, same_name, spells
from grader.people.person import Person

LOCAL = "local"  # an address' part before the @
NUMBER = "number"  # an id's digits, as in `Participant 123`
BARE = "bare"  # an entry's name, in any letter case
_NUMBERS = (ID, CANVAS, SID, LOGIN)
_OWN = (ID, ALSO, CANVAS, SID, LOGIN, EMAIL, LOCAL)

LEVELS = 4  # of comparing names
Found = dict[int, Person]  # by the object's identity, since people without a key are equal to nobody


class Index:
    """Looks people up by their marks; `add` and `learn` keep it up to date."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self.people: list[Person] = []
        self._by_mark: dict[Mark, Found] = {}
        self._by_name: dict[object, Found] = {}
        self._systems = Systems()
        for person in people:
            self.add(person)

    def consider(self, marks: Iterable[Mark]) -> None:
        """Take marks into account that are nobody's yet, to learn which kinds hold the same numbers."""
        self._systems.learn(marks)

    def add(self, person: Person) -> None:
        """Take up a person with all marks."""
        self.people.append(person)
        self._note(person, [*person.marks, (NAME, person.called), (NAME, person.name)])

    def learn(self, person: Person, marks: Sequence[Mark]) -> None:
        """Add marks to a person who is taken up already."""
        person.learn(marks)
        self._note(person, marks)

    def absorb(self, person: Person, into: Person) -> None:
        """Make two people one."""
        self.people = [one for one in self.people if one is not person]
        for found in (*self._by_mark.values(), *self._by_name.values()):
            found.pop(id(person), None)
        into.absorb(person)
        self._note(into, into.marks)

    def owners(self, mark: Mark) -> list[Person]:
        """Return the people who have this very mark."""
        return self._with((family(mark[0]),), mark[1])

    def known(self, who: Identity, weeks: Collection[str] = ()) -> list[list[Person]]:
        """Return the people whom each part of an identity refers to that belongs to one person alone."""
        found = [self._with(kinds, value) for kinds, value in _references(who)]
        if who.platform == "moodle":
            found.append([one for one in self._with((NUMBER,), who.id) if _bears(one, who.name)])
        return [people for people in found if people]

    def like(self, who: Identity, weeks: Collection[str] = ()) -> Iterator[list[Person]]:
        """Yield the people of that name, exactly written first, then in more and more liberal ways."""
        for people in self._levels(who):
            yield [one for one in people if not self.conflict(one, who.marks(weeks))]

    def conflict(self, person: Person, marks: Sequence[Mark]) -> bool:
        """Tell whether marks are somebody else's: another value of a kind of which nobody has two."""
        theirs: dict[str, set[str]] = {}
        for kind, value in person.marks:
            if is_single(kind):
                theirs.setdefault(kind, set()).add(value.casefold())
        return any(self._differs(kind, value.casefold(), theirs) for kind, value in marks if is_single(kind))

    def _differs(self, kind: str, value: str, theirs: Mapping[str, set[str]]) -> bool:
        if kind in theirs:
            return value not in theirs[kind]
        return any(value not in values for other, values in theirs.items() if self._systems.are_one(kind, other))

    def _levels(self, who: Identity) -> Iterator[list[Person]]:
        if not who.name:
            return
        if who.platform != CANVAS:
            yield self._with((ENTRY,), who.name) if who.platform == PLAIN else []  # it was there before
            yield self._with((ENTRY, NAME), who.name)
            yield self._named(same_name(who.name))
            yield _both(self._named(("folded", *folded_name(who.name))), self._spelled(who.name))
        else:
            yield self._with((SHORT,), who.name)
            yield self._spelled(who.name)

    def _spelled(self, name: str) -> list[Person]:
        """Find people whose name is this one but for blanks; one of the two is without any."""
        candidates = self._named(("letters", letters(name)))
        return [one for one in candidates if _is_spelled(name, one)]

    def _with(self, kinds: Iterable[str], value: str) -> list[Person]:
        found: Found = {}
        for kind in kinds:
            found |= self._by_mark.get((kind, _key(kind, value)), {}) if value else {}
        return list(found.values())

    def _named(self, key: object) -> list[Person]:
        return list(self._by_name.get(key, {}).values()) if key else []

    def _note(self, person: Person, marks: Sequence[Mark]) -> None:
        self._systems.learn(marks)
        for mark in marks:
            for kind, value in (mark, *_derived(mark)):
                self._by_mark.setdefault((family(kind), _key(kind, value)), {})[id(person)] = person
            for key in _name_keys(mark):
                self._by_name.setdefault(key, {})[id(person)] = person


def differ(some: Iterable[Mark], others: Iterable[Mark]) -> bool:
    """Tell whether the two have different values of a kind of which nobody has two."""
    theirs: dict[str, set[str]] = {}
    for kind, value in others:
        theirs.setdefault(kind, set()).add(value)
    return any(is_single(kind) and kind in theirs and value not in theirs[kind] for kind, value in some)


def questions(people: Sequence[Person]) -> list[tuple[Person, list[Person]]]:
    """Return people who may be somebody else of the class, as far as names tell and nothing speaks against it."""
    index = Index(people)
    found = []
    for person in people:
        if person.listed or not person.handed:
            continue
        others = [other for other in _namesakes(index, person) if _may_be(index, person, other)]
        if others:
            found.append((person, sorted(others, key=lambda other: other.name)))
    return found


def doubles(asked: Iterable[tuple[Person, Sequence[Person]]]) -> list[Person]:
    """Return those of `questions` whom a count leaves out, since somebody of the roster is counted already.

    An entry that may be either of two on the roster makes no third student; of three entries that may be either of the
    two, one has to be somebody else.
    """
    groups: list[tuple[list[Person], Found]] = []
    for person, others in asked:
        entries, listed = [person], {id(other): other for other in others if other.listed}
        for group in [one for one in groups if one[1].keys() & listed.keys()]:
            groups.remove(group)
            entries, listed = [*group[0], *entries], group[1] | listed
        groups.append((entries, listed))
    return [person for entries, listed in groups for person in entries[: len(listed)]]


def _may_be(index: Index, person: Person, other: Person) -> bool:
    if other is person or person.handed & other.handed or index.conflict(other, person.marks):
        return False
    return other.listed or other.is_gone or other.key < person.key


def _namesakes(index: Index, person: Person) -> list[Person]:
    found: Found = {}
    for name in (*person.values(NAME), *person.shorts):
        for people in index.like(Identity(name, CANVAS if name in person.shorts else PLAIN)):
            found |= {id(one): one for one in people}
    return list(found.values())


def _references(who: Identity) -> Iterator[tuple[Sequence[str], str]]:
    """Yield what belongs to one person alone, with the kinds of marks that it may be."""
    if who.platform == PLAIN:
        for word in [*called(who.name), *re.findall(r"(?=[^\s_]*\d)[^\s_]{4,}", who.name)]:
            yield _OWN, word
    elif who.platform == "moodle":
        yield ("moodle",), who.id
    elif who.platform == "gradescope":
        yield (SID, ID, ALSO, BARE), who.id
    elif who.platform == CANVAS:
        yield (CANVAS, ID, ALSO, BARE), who.id
    elif who.platform == BRIGHTSPACE:
        yield (BRIGHTSPACE, ID, ALSO, BARE), who.id
    elif who.platform == "anonymous":
        yield ("anonymous",), who.id
    else:
        yield (ID, ALSO, CANVAS, SID, LOGIN, BARE), who.id
    yield (ID, ALSO, CANVAS, SID, BARE), who.also
    yield (LOGIN, ID, ALSO, LOCAL, BARE), who.login
    yield (LOGIN, BARE), who.email.partition("@")[0]
    yield (EMAIL, ID, ALSO, LOGIN, BARE), who.email
    if who.platform not in (PLAIN, ROSTER) and who.id:
        yield (BARE,), f"{who.name or 'anon'} ({who.id})"  # as older gradebooks name people


class Systems:
    """Learns which kinds of numbers are one system's: a roster's ids may be Canvas's, Gradescope's or logins.

    They are if one value is of both kinds, or if all of both kinds are numbers, and some of the same length.
    """

    def __init__(self) -> None:
        self._values: dict[str, set[str]] = {}
        self._lengths: dict[str, set[int]] = {}
        self._known: dict[tuple[str, str], bool] = {}

    def learn(self, marks: Iterable[Mark]) -> None:
        """Take marks into account."""
        for kind, value in marks:
            if kind in _NUMBERS and value.casefold() not in self._values.get(kind, ()):
                self._known.clear()
                self._values.setdefault(kind, set()).add(value.casefold())
                self._lengths.setdefault(kind, set()).add(len(value) if value.isdigit() else -1)

    def are_one(self, kind: str, other: str) -> bool:
        """Tell whether values of these kinds can be compared."""
        if (kind, other) not in self._known:
            self._known[kind, other] = self._are_one(kind, other)
        return self._known[kind, other]

    def _are_one(self, kind: str, other: str) -> bool:
        if ID not in (kind, other) or not {kind, other} <= {*_NUMBERS}:
            return False
        if not self._values.get(kind, set()).isdisjoint(self._values.get(other, ())):
            return True
        some, others = self._lengths.get(kind, set()), self._lengths.get(other, set())
        return -1 not in some | others and bool(some & others)


def _derived(mark: Mark) -> Iterator[Mark]:
    kind, value = mark
    if kind == ENTRY:
        yield BARE, value
    if kind == EMAIL:
        yield LOCAL, value.partition("@")[0]
    if kind == ID and (number := re.fullmatch(r"\D*?(\d+)", value)):
        yield NUMBER, number[1]


def _name_keys(mark: Mark) -> Iterator[object]:
    kind, value = mark
    if kind in (NAME, ENTRY):
        yield same_name(value)
        yield ("folded", *folded_name(value))
    if kind in (NAME, ENTRY, SHORT):
        yield ("letters", letters(value))


def _key(kind: str, value: str) -> str:
    return value.strip() if kind in (NAME, ENTRY) else value.strip().casefold()


def _is_spelled(name: str, person: Person) -> bool:
    words = folded_name(name)
    joined = "".join(words)
    theirs = [folded_name(one) for one in (*person.names, *person.shorts)]
    short = len(words) == 1 and any(spells(joined, one) for one in theirs)
    return short or any(len(one) == 1 and spells(one[0], words) for one in theirs)


def _bears(person: Person, name: str) -> bool:
    return any(folded_name(own) == folded_name(name) for own in person.names)


def _both(some: Sequence[Person], others: Sequence[Person]) -> list[Person]:
    return list({id(one): one for one in (*some, *others)}.values())
