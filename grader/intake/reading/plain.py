"""Turns what is found in an entry into plain data for another process, and back; who receives it trusts none of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grader.errors import SubmissionError
from grader.intake.answers.answers import Answers, packed, unpacked
from grader.intake.collect import LARGEST_SUBMISSION, MOST_FILES, MOST_NOTES, Collected, clipped, digest_of
from grader.intake.layouts.gradescope import About
from grader.intake.places import Place


@dataclass(frozen=True)
class Found:
    """One week of an entry: what lies at `place`, or why that cannot be graded; a `problem` where there is no place.

    `is_empty` where the entry holds nothing of any week, as far as it can be read.
    """

    week: str | None
    problem: str = ""
    place: Place | None = None
    collected: Collected | SubmissionError | None = None
    is_empty: bool = False


def to_plain(found: Found) -> dict[str, Any]:
    """Turn it into plain data."""
    collected = found.collected
    return {
        "week": found.week,
        "problem": found.problem,
        "empty": found.is_empty,
        "place": place_to_plain(found.place) if found.place else None,
        "files": collected.files if isinstance(collected, Collected) else None,
        "notes": list(collected.notes) if isinstance(collected, Collected) else [],
        "answers": collected.answers if isinstance(collected, Collected) else b"",
        "error": str(collected) if isinstance(collected, SubmissionError) else "",
    }


def from_plain(data: Any) -> Found:
    """Make it again. The digest is made anew. Raises `SubmissionError` for anything else than `to_plain` gives."""
    try:
        week = None if data["week"] is None else _text(data["week"])
        if data["place"] is None:
            return Found(week, clipped(_text(data["problem"])), is_empty=data["empty"] is True)
        return Found(week, place=place_from_plain(data["place"]), collected=_collected(data))
    except (AttributeError, TypeError, LookupError, ValueError):
        raise SubmissionError("reading it gave no answer that can be understood") from None


def modules_from_plain(data: Any) -> list[tuple[str, str]]:
    """Return each module with its week, from (week, modules) each. Raises `SubmissionError` for anything else."""
    try:
        return [(_text(week), _text(module)) for week, modules in data for module in modules]
    except (TypeError, ValueError):
        raise SubmissionError("reading it gave no answer that can be understood") from None


def about_to_plain(folder: str, about: About) -> dict[str, Any]:
    """Turn what Gradescope says of a folder into plain data."""
    return {"folder": folder, "people": about.people, "at": about.at.isoformat() if about.at else ""}


def about_from_plain(data: Any) -> tuple[str, About]:
    """Make it again. Raises `SubmissionError` for anything else than `about_to_plain` gives."""
    try:
        people = tuple((_text(name), _text(sid), _text(email)) for name, sid, email in data["people"])
        at = datetime.fromisoformat(data["at"]) if data["at"] else None
        return _text(data["folder"]), About(people, at)
    except (TypeError, LookupError, ValueError):
        raise SubmissionError("reading it gave no answer that can be understood") from None


def names_from_plain(data: Any) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names of a zip's members, and those that are refused, each with the reason."""
    try:
        names = [_text(name) for kind, part in data if kind == "names" for name in part]
        return names, [(_text(name), _text(why)) for kind, part in data if kind == "refused" for name, why in part]
    except (TypeError, ValueError):
        raise SubmissionError("reading it gave no answer that can be understood") from None


def _collected(data: Any) -> Collected | SubmissionError:
    if data["files"] is None:
        return SubmissionError(_text(data["error"]))
    files = {_text(path): _bytes(raw) for path, raw in data["files"].items()}
    notes = [clipped(_text(note)) for note in data["notes"]]
    if len(files) > MOST_FILES or sum(map(len, files.values())) > LARGEST_SUBMISSION or len(notes) > MOST_NOTES + 1:
        raise ValueError("more than can be collected")
    answers = _bytes(data["answers"])
    return Collected(files, tuple(notes), digest_of(files), *packed(unpacked(answers) if answers else Answers()))


def place_to_plain(place: Place) -> dict[str, Any]:
    """Turn a place into plain data."""
    return {
        "week": place.week,
        "folder": place.folder,
        "modules": dict(place.modules),
        "notebooks": list(place.notebooks),
        "notes": list(place.notes),
        "borrowed": {module: dict(lenders) for module, lenders in place.borrowed.items()},
        "question": place.question,
    }


def place_from_plain(data: Mapping[str, Any]) -> Place:
    """Make a place again; `TypeError` or `LookupError` for anything else than `place_to_plain` gives."""
    modules = _texts(data["modules"])
    notebooks, notes = (tuple(map(_text, data[key])) for key in ("notebooks", "notes"))
    borrowed = {_text(module): _texts(lenders) for module, lenders in data["borrowed"].items()}
    week, folder, question = (_text(data[key]) for key in ("week", "folder", "question"))
    return Place(week, folder, modules, notebooks, notes, borrowed, question)


def _texts(data: Mapping[Any, Any]) -> dict[str, str]:
    return {_text(key): _text(value) for key, value in data.items()}


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("no text")
    return value


def _bytes(value: Any) -> bytes:
    if type(value) is not bytes:
        raise TypeError("no bytes")
    return value
