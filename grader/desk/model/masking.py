"""Takes out of what students wrote who they are: whoever grades without names is not told them by the work either."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from grader.people.identity import EMAIL, ID, LOGIN, NAME, SHORT, SID
from grader.people.person import Person

_KINDS = (ID, SID, EMAIL, LOGIN, SHORT)
STUDENT = "(the student)"
_SHORTEST, _SHORTEST_NUMBER = 4, 6  # characters of what is taken out; what is shorter may be any word or number
_BETWEEN = r"[ \t_.,-]*"  # the words of a name, as in a file's name


def masked(people: Iterable[Person]) -> Callable[[str], str]:
    """Return what takes the names, ids, logins and addresses of these people out of a text, line by line."""
    found = sorted({one for person in people for one in _patterns(person)}, key=len, reverse=True)
    if not found:
        return str
    pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(found)})(?![^\W_])", re.IGNORECASE)
    return lambda text: pattern.sub(STUDENT, text)


def _patterns(person: Person) -> Iterator[str]:
    for name in {person.name, person.called, *person.values(NAME)}:
        words = [re.escape(word) for word in re.findall(r"[^\s,]+", name)]
        if words and len(name) >= _SHORTEST:
            yield _BETWEEN.join(words)
            yield _BETWEEN.join([words[-1], *words[:-1]])
    known = [value for kind in _KINDS for value in person.values(kind)]
    yield from (re.escape(one) for one in known if len(one) >= (_SHORTEST_NUMBER if one.isdigit() else _SHORTEST))
