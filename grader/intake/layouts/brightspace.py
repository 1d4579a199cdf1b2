"""Reads a download from Brightspace: a folder for each time that somebody handed in.

`123001-555 - Ana Silva - Oct 5, 2026 815 PM`: the student's number and the assignment's, the name, and the time on a
clock on the wall, in the words of the teacher's language. The latest folder of a student counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from grader.intake.folders.entries import Entry
from grader.intake.layouts.handed import Found, Handed
from grader.people.identity import BRIGHTSPACE, Identity

_NAMED = re.compile(r"(?P<user>\d+)-(?P<folder>\d+) - (?P<name>.+) - (?P<at>.*\d{4}.*\d{3,4}.*?)")
_INDEX = "index.html"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(r"(\d{1,2})[:.-]?(\d\d)(?:\s*([AP])\.?M\.?)?", re.IGNORECASE)


def fits(folder: Entry, entry: Entry) -> bool:
    """Tell whether Brightspace writes such an entry."""
    return entry.is_folder and _NAMED.fullmatch(entry.path.name) is not None


def read(folder: Entry, entries: Sequence[Entry]) -> Found:
    """Read whose the folders are."""
    by_user: dict[str, list[tuple[re.Match[str], Entry]]] = {}
    ignored = []
    matches = [(_NAMED.fullmatch(entry.path.name) if entry.is_folder else None, entry) for entry in entries]
    kind = _number([match for match, _ in matches if match])
    for match, entry in matches:
        if match:
            by_user.setdefault(match[kind], []).append((match, entry))
        elif entry.path.name != _INDEX:
            ignored.append((entry.path.name, "not named as Brightspace does"))
    found = []
    for user, folders in by_user.items():
        one, earlier = _handed(user, folders)
        found.append((one, user))
        ignored += earlier
    return found, ignored


def _number(matches: Sequence[re.Match[str]]) -> str:
    """Tell which of the two numbers is the student's: the other is the same for all."""
    users, folders = {match["user"] for match in matches}, {match["folder"] for match in matches}
    return "folder" if len(users) == 1 < len(folders) else "user"


def _handed(user: str, folders: Sequence[tuple[re.Match[str], Entry]]) -> tuple[Handed, list[tuple[str, str]]]:
    """Return a student's latest folder, and the earlier ones."""
    times = [time_of(match["at"]) for match, _ in folders]
    name = folders[-1][0]["name"]
    who = Identity(name, BRIGHTSPACE, user)
    known = [time for time in times if time is not None]
    if len(folders) > 1 and (len(known) < len(times) or known.count(max(known)) > 1):
        places = " and ".join(entry.path.name for _, entry in folders)
        problem = f"nothing tells which is the latest of {places}: keep that one"
        return Handed(name, folders[-1][1].path, who=who, problem=problem), []
    last = times.index(max(known)) if known else 0
    earlier = [
        (entry.path.name, f"an earlier attempt of {name}") for place, (_, entry) in enumerate(folders) if place != last
    ]
    return Handed(name, folders[last][1].path, at=times[last], who=who), earlier


def time_of(text: str) -> datetime | None:
    """Read `Oct 5, 2026 815 PM` or `5 October 2026 2015`; None where the month is no word of English."""
    words = re.findall(r"[^\s,]+", text)
    month = next((_MONTHS.index(word[:3].lower()) + 1 for word in words if word[:3].lower() in _MONTHS), None)
    year = next((place for place, word in enumerate(words) if re.fullmatch(r"\d{4}", word)), None)
    day = next((int(word) for word in words[:year] if re.fullmatch(r"\d{1,2}", word)), None)
    clock = _CLOCK.fullmatch(" ".join(words[year + 1 :])) if year is not None else None
    if month is None or year is None or day is None or clock is None:
        return None
    hour = int(clock[1])
    if clock[3]:
        hour = hour % 12 + (12 if clock[3].upper() == "P" else 0)
    try:
        return datetime(int(words[year]), month, day, hour, int(clock[2]))
    except ValueError:
        return None
