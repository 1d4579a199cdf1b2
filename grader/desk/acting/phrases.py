"""Looks after comments that are kept for reuse: removes one, or gives it a digit of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.desk.desk import Desk, Done
from grader.errors import UsageError
from grader.gradebook.together.desk import Phrase

DIGITS = "123456789"


def offered(phrases: Sequence[Phrase]) -> list[Phrase]:
    """Return the phrases that a form offers, each with the digit that writes it.

    Those with a digit of their own keep it; the others get what is left, in their order.
    """
    pinned: dict[str, Phrase] = {}
    for one in phrases:
        if one.shortcut:
            pinned.setdefault(one.shortcut, one)
    others = (one for one in phrases if one not in pinned.values())
    found = [pinned.get(digit) or next(others, None) for digit in DIGITS]
    return [replace(one, shortcut=digit) for digit, one in zip(DIGITS, found, strict=True) if one is not None]


def forget_phrase(desk: Desk, who: str, number: int) -> Done:
    """Offer a comment no more; where it was written, it stays."""
    phrase = _found(desk, number)
    with desk.book.changing(who) as change:
        change.drop("phrases", week=phrase.week, task=phrase.task, text=phrase.text)
        said = f"no longer offered: {_short(phrase)}"
        change.note(said)
    return desk.done(change, said)


def pin_phrase(desk: Desk, who: str, number: int, digit: str) -> Done:
    """Give a comment a digit that writes it, or take it away; whichever had the digit loses it."""
    if digit and digit not in [*DIGITS]:
        raise UsageError("a shortcut is a digit from 1 to 9")
    phrase = _found(desk, number)
    with desk.book.changing(who) as change:
        for one in desk.book.all_phrases():
            is_it = one.id == phrase.id
            shortcut = digit if is_it else "" if one.shortcut == digit else one.shortcut
            if shortcut != one.shortcut:
                key = {"week": one.week, "task": one.task, "text": one.text}
                change.put("phrases", key | {"shortcut": shortcut})
        said = f"{f'Alt+{digit} writes' if digit else 'no shortcut of its own'}: {_short(phrase)}"
        change.note(said)
    return desk.done(change, said)


def _found(desk: Desk, number: int) -> Phrase:
    found = next((one for one in desk.book.all_phrases() if one.id == number), None)
    if found is None:
        raise UsageError("there is no such comment any more; load the page again")
    return found


def _short(phrase: Phrase) -> str:
    text = " ".join(phrase.text.split())
    return text if len(text) <= 60 else f"{text[:59]}…"
