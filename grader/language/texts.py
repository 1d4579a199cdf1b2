"""Reads how a week says its own texts in another language: `LANGUAGE.po` beside its checks, public and hidden.

These texts are the titles and hints of checks, and what `assignment.toml` says of parts that people grade; and, marked
as messages are, the sentences that public checks put into theirs. All are kept and compared as the course writes them,
and translated where students read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from string import Formatter

from grader.errors import CourseError
from grader.language.catalogue import MESSAGE, catalogue
from grader.language.po_file import Entry, entries, placeholders

_GLUE = "\x04"  # between a context and a text, as gettext keys them
_LETTERS = 2  # of a pattern's own, at least: one of values alone would take any message for its own


def texts_of(folders: Iterable[Path], language: str) -> dict[str, str]:
    """Return the translations that lie in some folders, by `key_of` the text; empty where there are none.

    A translation of blanks is none. One of a text on one line stands on one line.
    """
    files = [folder / f"{language}.po" for folder in folders]
    found = [entry for file in files if file.is_file() for entry in entries(file)]
    return {key_of(one.text, one.context): _like(one.text, one.translation) for one in found if one.translation.strip()}


def readable_texts(folders: Iterable[Path], language: str) -> dict[str, str]:
    """Return `texts_of`, or nothing where a file cannot be read: whoever runs checks cannot mend it."""
    try:
        return texts_of(folders, language)
    except CourseError:  # `validate` names it
        return {}


def key_of(text: str, context: str = "") -> str:
    """Return what a translation is kept by: the text, after its context where it has one."""
    return f"{context}{_GLUE}{text}" if context else text


def parts_of(key: str) -> tuple[str, str]:
    """Return the text and the context that a key is made of."""
    context, _, text = key.rpartition(_GLUE)
    return text, context


def messages_of(texts: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """Return those of a week's translations by which messages are said: each text with its translation."""
    head = key_of("", MESSAGE)
    known = ((key.removeprefix(head), said) for key, said in texts.items() if key.startswith(head))
    return frozenset((text, said) for text, said in known if is_usable(text, said))


@lru_cache(maxsize=4096)  # each report asks
def is_usable(text: str, translation: str) -> bool:
    """Tell whether messages are found by this text, and its translation has the same places for values."""
    try:
        words = "".join(literal for literal, *_ in Formatter().parse(text))
        names = placeholders(text)
        translation.format(**dict.fromkeys(names, ""))
        return is_findable(words) and names == placeholders(translation)
    except (ValueError, LookupError, AttributeError):
        return False


def is_known(sentence: str, language: str) -> bool:
    """Tell whether the grader's own catalogue of a language has a sentence of messages."""
    known = catalogue(language)
    return known is not None and known.has_message(sentence)


def is_findable(words: str) -> bool:
    """Tell whether a message's own words, without its values, are enough to find it by."""
    return sum(map(str.isalpha, words)) >= _LETTERS


def entries_of(messages: Iterable[tuple[str, str]]) -> list[Entry]:
    """Return a week's messages as a catalogue takes them."""
    return [Entry(MESSAGE, text, said) for text, said in sorted(messages)]


def _like(text: str, translation: str) -> str:
    return translation if "\n" in text else " ".join(translation.split())
