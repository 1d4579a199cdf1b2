"""Takes out of what students wrote who they are: whoever grades without names is not told them by the work either."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from grader.people.identity import EMAIL, ID, LOGIN, NAME, SHORT, SID
from grader.people.naming import MOST_WORDS, folded
from grader.people.person import Person

_KINDS = (ID, SID, EMAIL, LOGIN, SHORT)
STUDENT = "(the student)"
_SHORTEST, _SHORTEST_NUMBER = 4, 6  # characters of what is taken out; what is shorter may be any word or number
_BETWEEN = r"[ \t_.,-]*"  # the words of a name, as in a file's name
_DENSE = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # written without blanks
_SHORTEST_DENSE = 2
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})  # where a keyboard lacks the letter


def masked(people: Iterable[Person]) -> Callable[[str], str]:
    """Return what takes the names, ids, logins and addresses of these people out of a text, line by line.

    Letter case, accents and the order of words make no difference, nor whether all words of a name are there.
    """
    found = sorted({one for person in people for one in _patterns(person)}, key=len, reverse=True)
    if not found:
        return str
    pattern = re.compile("|".join(found))

    def shown(text: str) -> str:
        plain, places = _plain(text)
        parts, at = [], 0
        for match in pattern.finditer(plain):
            start, end = places[match.start()], places[match.end() - 1] + 1
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            parts += [text[at:start], STUDENT]
            at = end
        return "".join([*parts, text[at:]])

    return shown


def _plain(text: str) -> tuple[str, Sequence[int]]:
    """Return a text without case and accents, and for each of its letters where that stands in the text."""
    if text.isascii():
        return text.lower(), range(len(text))
    letters = [_letter(char) for char in text]
    return "".join(letters), [place for place, letter in enumerate(letters) for _ in letter]


@lru_cache(maxsize=10_000)
def _letter(char: str) -> str:
    return folded(char)


def _patterns(person: Person) -> Iterator[str]:
    for name in {person.name, person.called, *person.values(NAME)}:
        yield from _of_name(folded(name))
        yield from _of_name(folded(name.casefold().translate(_SPELLED)))
    known = [folded(value) for kind in _KINDS for value in person.values(kind)]
    yield from (
        _alone(re.escape(one), one) for one in known if len(one) >= (_SHORTEST_NUMBER if one.isdigit() else _SHORTEST)
    )


def _of_name(name: str) -> Iterator[str]:
    """Yield a whole name, the last word first as well, and its first word with some of the others."""
    words = re.findall(r"[^\s,]+", name)
    if not words or len(name) < (_SHORTEST_DENSE if _DENSE.search(name) else _SHORTEST):
        return
    escaped = [re.escape(word) for word in words]
    for start in range(len(words) if len(words) <= MOST_WORDS else 1):
        yield _alone(_BETWEEN.join([*escaped[start:], *escaped[:start]]), words[start], words[start - 1])
    if 2 < len(words) <= MOST_WORDS:
        others = "|".join(sorted(set(escaped[1:]), key=len, reverse=True))
        most = len(words) - 2
        yield _alone(rf"{escaped[0]}(?:{_BETWEEN}(?:{others})){{1,{most}}}", name)
        yield _alone(rf"(?:(?:{others}){_BETWEEN}){{1,{most}}}{escaped[0]}", name)


def _alone(pattern: str, first: str, last: str = "") -> str:
    """Return the pattern of what stands for itself: no letter or digit around, but in a script without blanks."""
    before = "" if _DENSE.match(first) else r"(?<![^\W_])"
    after = "" if _DENSE.match((last or first)[-1]) else r"(?![^\W_])"
    return f"{before}{pattern}{after}"
