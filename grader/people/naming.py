"""Compares names, tells students of like names apart, and makes names safe for folders."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

MOST_WORDS = 8  # of a name that is compared with one without blanks
LONGEST = 100  # bytes; file systems allow 255, and a path needs room for more than this name

_UNSAFE = re.compile(r'[/\\<>:;"|?*\x00-\x1f]')
_MARKED = re.compile(r"-[0-9a-f]{12}$")
# Letters that Unicode does not take apart into a plain one and an accent.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")


def safe_name(student: str) -> str:
    """Make a folder's name for a student: a single visible path component, the same for the same student.

    An ordinary name stays as it is. All others get a mark made from the whole name, so that two different students
    never share a folder, not even where a file system takes `Ana` and `ANA` for the same.
    """
    name = unicodedata.normalize("NFC", student)
    clean = "".join("_" if unicodedata.category(char)[0] in "CZ" and char != " " else char for char in name)
    clean = _UNSAFE.sub("_", clean).strip(" .").lstrip("-")
    clean = clean.encode()[:LONGEST].decode(errors="ignore").rstrip(" .")
    if clean == student and clean and _is_usual(clean):
        return clean
    mark = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{clean or 'student'}-{mark}"


def _is_usual(name: str) -> bool:
    """Tell whether a name may stand without a mark: at most one of names that differ in case alone may."""
    usual = name.title() if " " in name else name.lower()  # `Ana García`, and account names
    is_plain = name == usual and name.casefold() == name.lower()
    return is_plain and not _MARKED.search(name) and not _RESERVED.match(name)


def told_apart(names: Sequence[tuple[str, str]]) -> list[str]:
    """Name a student for each entry's `(student, file name)`; each name differs from all others even without case.

    Where several entries are named alike, a file keeps its ending (`ana.zip` beside the folder `ana`), and what is
    still the same is numbered, in the given order.
    """
    alike = Counter(caseless(student) for student, _ in names)
    result: list[str] = []
    taken = {key for key, count in alike.items() if count == 1}
    for student, file_name in names:
        is_alone = alike[caseless(student)] == 1
        name = visible(student if is_alone else file_name)
        unique, number = name, 1
        while not is_alone and caseless(unique) in taken:
            number += 1
            unique = f"{name} ({number})"
        taken.add(caseless(unique))
        result.append(unique)
    return result


def same_name(text: str) -> tuple[str, ...]:
    """Make a key that is equal for `Müller, Anna` and `anna müller`: the words, folded and sorted."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return tuple(sorted("".join(c if c.isalnum() else " " for c in folded).split()))


def called(student: str) -> list[str]:
    """Return a student's name; for `miller (4711)`, as a platform's students are told apart, also the number."""
    number = re.search(r" \((\w+)\)$", student)
    return [student, number[1]] if number else [student]


def caseless(name: str) -> str:
    """Make a key that is equal for names that a file system or a reader may take for the same."""
    return visible(name).casefold()


def visible(name: str) -> str:
    """Return a name as it is seen and can be stored: one blank between words, and no bytes that are no text."""
    text = name.encode("utf-8", "backslashreplace").decode()
    return unicodedata.normalize("NFC", " ".join(text.split())) or "_"


def folded(text: str) -> str:
    """Return text without letter case and accents: `Søren Müller` is `soren muller`."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in apart if not unicodedata.combining(char)).casefold()


def folded_name(text: str) -> tuple[str, ...]:
    """Make a key as `same_name` does, blind to accents too."""
    return same_name(folded(text))


def spells(short: str, words: Sequence[str]) -> bool:
    """Tell whether a name without blanks is made of all these words, in any order."""
    if not words or len(words) > MOST_WORDS:
        return False
    return (
        short in words
        if len(words) == 1
        else any(
            short.startswith(word) and spells(short[len(word) :], [*words[:place], *words[place + 1 :]])
            for place, word in enumerate(words)
        )
    )


def letters(text: str) -> str:
    """Make a key that is equal for a name and for the same name without blanks: its letters, sorted."""
    return "".join(sorted(char for char in folded(text) if char.isalnum()))


def are_related(one: str, other: str) -> bool:
    """Tell whether two names look like one name written in two ways: `asilva`, `Ana Silva`, `Anna Silva Costa`.

    Nobody may be taken for somebody else by this alone: brothers and sisters have related names as well.
    """
    first, second = sorted((folded_name(one), folded_name(other)), key=len)
    shorter, longer = sorted(("".join(first), "".join(second)), key=len)
    if not shorter:
        return False
    if len(shorter) >= 3 and (shorter in longer or letters(shorter) == letters(longer)):
        return True
    return all(any(_is_close(word, another) for another in second) for word in first)


def _is_close(one: str, other: str) -> bool:
    """Tell whether two words are the same but for one letter, or one is the other's beginning."""
    if one.startswith(other) or other.startswith(one):
        return True
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    rest, more = one[same:], other[same:]
    has_one_more = rest[1:] == more or rest == more[1:]
    return has_one_more if min(len(one), len(other)) <= 3 else has_one_more or rest[1:] == more[1:]
