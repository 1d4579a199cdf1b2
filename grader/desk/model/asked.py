"""Chooses requests by what stands in an address: a search, a week, what became of them."""

from __future__ import annotations

from collections.abc import Mapping

from grader.desk.model.lists import Sheet, sheet
from grader.desk.model.snapshot import Snapshot
from grader.gradebook.together.desk import Request, RequestState
from grader.people.naming import folded

PER_PAGE = 50
ANSWERED = "answered"
_NAMES = ("q", "week", "state", "page")


def asked_of(snapshot: Snapshot, query: Mapping[str, str]) -> Sheet[Request]:
    """Return the page of requests that an address asks for; with `request` the one that has it, among all."""
    number = query.get("request", "")
    if number:
        place = next((place for place, one in enumerate(snapshot.requests) if str(one.id) == number), 0)
        query = dict.fromkeys(_NAMES, "") | {"page": str(place // PER_PAGE + 1)}
        return sheet(snapshot.requests, PER_PAGE, query)
    wanted = {name: query.get(name, "")[:200] for name in _NAMES}
    words = folded(wanted["q"]).split()
    found = [one for one in snapshot.requests if _fits(snapshot, one, wanted) and _has(snapshot, one, words)]
    return sheet(found, PER_PAGE, wanted)


def _fits(snapshot: Snapshot, one: Request, wanted: Mapping[str, str]) -> bool:
    if wanted["week"] and one.week != wanted["week"]:
        return False
    if wanted["state"] == ANSWERED:
        return one.state is not RequestState.OPEN
    return not wanted["state"] or one.state == wanted["state"]


def _has(snapshot: Snapshot, one: Request, words: list[str]) -> bool:
    if not words:
        return True
    person = snapshot.people.get(one.person)
    text = folded(f"{person.name if person else ''} {person.id if person else ''} {one.task} {one.text} {one.answer}")
    return all(word in text for word in words)
