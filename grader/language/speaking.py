"""Holds which language is spoken, and in which one numbers are written, and translates into it.

The language is that of the work at hand, and of its thread: a class's reports may be written in another one than what a
teacher reads on the terminal, which is English. Numbers there are written in the course's language all the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType

from grader.inside import says
from grader.language.catalogue import FOLDER, Catalogue, catalogue
from grader.language.numbers import measured, written
from grader.language.texts import entries_of, messages_of

ENGLISH = "en"
VARIABLE = "GRADER_LANGUAGE"  # in a student's environment: the language in which to answer
LANGUAGES = (ENGLISH, *sorted(file.stem for file in FOLDER.glob("*.po")))
_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)
_messages: ContextVar[frozenset[tuple[str, str]]] = ContextVar("messages", default=frozenset())  # a week's own
_counted: ContextVar[str | None] = ContextVar("numbers", default=None)  # where it is another language than what is said


def spoken() -> str:
    """Return the language that is spoken, by its two letters."""
    return _spoken.get()


def chosen(asked: str | None, course: str = ENGLISH) -> str:
    """Return the language to speak to a student: what an option asks for, else the environment, else the course's.

    The environment may have a whole locale, such as `de_AT.UTF-8`; one that there is no catalogue for is passed over.
    """
    wanted = os.environ.get(VARIABLE, "").replace("-", "_").partition("_")[0].lower()
    return asked or (wanted if wanted in LANGUAGES else course)


@contextmanager
def speaking(language: str, texts: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Speak a language within the block, and write numbers in it.

    `texts` are a week's own, as `texts_of` reads them: by them `retold` says the sentences of the week's checks.
    """
    tokens = _spoken.set(language), _counted.set(None), _messages.set(messages_of(texts))
    try:
        yield
    finally:
        _spoken.reset(tokens[0])
        _counted.reset(tokens[1])
        _messages.reset(tokens[2])


@contextmanager
def counting(language: str) -> Iterator[None]:
    """Write numbers in a language within the block, whatever is spoken there."""
    token = _counted.set(language)
    try:
        yield
    finally:
        _counted.reset(token)


def decimal(value: float | str, places: int | None = None) -> str:
    """Return a number, or what Python has written of one, as people read it; `places` rounds it.

    It is for pages, terminals and files that people read, and not for what a machine reads.
    """
    return written(value, _counted.get() or spoken(), places)


def tr(template: str, **values: object) -> str:
    """Return a text of the pages in the language that is spoken, with values in the places that it has for them.

    Numbers with decimal places are written as people read them.
    """
    known = catalogue(spoken())
    shown = {name: decimal(value) if isinstance(value, float) else value for name, value in values.items()}
    return (known.text(template) if known else template).format(**shown)


def later(text: str) -> str:
    """Mark a text that `tr` says later, and return it as it is."""
    return text


# Labels of a message's lines; catalogue.py finds them there.
LABELS = (
    later("expected"), later("got"), later("where"), later("because"), later("called as"), later("also ends"),
)  # fmt: skip

DECIMAL = later("0.5")  # numbers.py takes a language's decimal sign from it

RESULT = (says("the result"), says("the result[{place}"))  # as `inside.codec` names what came back, and parts of it


@lru_cache(maxsize=64)  # a class's reports are of a few weeks
def _with_messages(language: str, messages: frozenset[tuple[str, str]]) -> Catalogue | None:
    """Return a language's catalogue with a week's messages; their numbers stand in them as `measured` writes them."""
    if not messages:
        return catalogue(language)
    own = {(measured(text, language), said) for text, said in messages}
    return (catalogue(language) or Catalogue(())).joined_by(entries_of(messages | own))


def retold(message: str) -> str:
    """Return a message that was kept in English in the language that is spoken; values stay as they are.

    It is said by the grader's catalogue, and by the week's own where its texts are spoken. Points, and numbers with a
    unit, are written as people read them.
    """
    known = _with_messages(spoken(), _messages.get())
    counted = measured(message, _counted.get() or spoken())
    return known.message(counted) if known else counted
