"""Finds the one person whom a command's words mean: an id, an address, a login, or a name however it is written."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from grader.errors import UsageError
from grader.escape import terminal
from grader.people.identity import ENTRY, NAME, SHORT
from grader.people.naming import folded, folded_name
from grader.people.person import Person

_NAMES = (NAME, ENTRY, SHORT)
_MOST = 3  # that are suggested


def find_person(people: Sequence[Person], words: str) -> Person:
    """Find who is meant, first by what is written exactly so, then without regard to letter case, accents and order.

    `UsageError` asks where two fit, and suggests who may be meant where nobody does.
    """
    # What is compared is made of the words once, as a table's cell in place of a name may be very long.
    ways: tuple[tuple[Callable[[Person, Any], bool], Any], ...] = (
        (_is_shown, words),
        (_is_marked, words.strip()),
        (_is_marked_alike, folded(words.strip())),
        (_is_called, folded_name(words)),
    )
    for fits, key in ways:
        found = [person for person in people if fits(person, key)]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(_named(person) for person in sorted(found, key=lambda person: person.name))
            raise UsageError(terminal(f"{words!r} may be {len(found)} people: {names}; give the id or the e-mail"))
    raise UsageError(terminal(f"the gradebook has no student {words!r}{_hint(people, words)}"))


def _is_shown(person: Person, words: str) -> bool:
    return person.name == words


def _is_marked(person: Person, words: str) -> bool:
    return words in {value for kind, value in person.marks if kind not in _NAMES}


def _is_marked_alike(person: Person, key: str) -> bool:
    return any(folded(value) == key for kind, value in person.marks if kind not in _NAMES)


def _is_called(person: Person, key: tuple[str, ...]) -> bool:
    return key in [folded_name(name) for name in person.names]


def _named(person: Person) -> str:
    more = [value for value in (person.id, person.email) if value and value not in person.name]
    return f"{person.name} ({', '.join(more)})" if more else person.name


def _hint(people: Sequence[Person], words: str) -> str:
    texts = [(text, person.name) for person in people for text in (*person.names, person.email, person.login) if text]
    known = {folded(text): name for text, name in texts}
    wanted = set(folded_name(words))
    parts = [name for text, name in texts if wanted and wanted <= set(folded_name(text))]
    close = [known[text] for text in difflib.get_close_matches(folded(words), known, n=_MOST, cutoff=0.4)]
    names = list(dict.fromkeys([*parts, *close]))[:_MOST]
    return f"; did you mean {' or '.join(map(repr, names))}?" if names else ""
