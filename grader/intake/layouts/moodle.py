"""Reads a download from Moodle: a folder for each student, or flat files.

`Ana Silva_2001_assignsubmission_file_`; a team is `Team 3_17_…`, the team of those in none `Default group_…` without a
number. What other kinds of submission leave (typed text, comments) is named, and nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from grader.intake.folders.entries import Entry
from grader.intake.layouts.handed import Found, Handed
from grader.people.identity import Identity

# The leftmost place where the platform's own parts fit is its own: a student chooses the name of the file behind them.
_NAMED = re.compile(
    r"(?P<name>.+?)(?:_(?P<id>\d+))?_assignsubmission_(?P<kind>[a-z][a-z0-9]*)(?:_(?P<file>.*))?", re.DOTALL
)

_TYPED = "onlinetext"


def fits(folder: Entry, entry: Entry) -> bool:
    """Tell whether Moodle writes such an entry."""
    return _NAMED.fullmatch(entry.path.name) is not None


def read(folder: Entry, entries: Sequence[Entry]) -> Found:
    """Read whose the folders or files are."""
    found: dict[tuple[str, str], Handed] = {}
    typed: list[tuple[tuple[str, str], Handed]] = []
    ignored = []
    for entry in entries:
        path = entry.path
        match = _NAMED.fullmatch(path.name)
        if not match or match["kind"] not in ("file", _TYPED):
            ignored.append((path.name, _why_ignored(match)))
            continue
        key = (match["name"], match["id"] or "")
        first = Handed(match["name"], path, who=Identity(match["name"], "moodle", match["id"] or ""))
        if match["kind"] == _TYPED:
            typed.append((key, replace(first, typed=_why_ignored(match))))
        elif entry.is_folder:
            found[key] = first
        else:
            before = found.get(key, first)
            found[key] = replace(before, parts=(*before.parts, (match["file"] or path.name, path)))
    for key, one in typed:
        if key in found:
            ignored.append((one.path.name, one.typed))
        else:
            found[key] = one
    return [(one, number) for (_, number), one in found.items()], ignored


def _why_ignored(match: re.Match[str] | None) -> str:
    if match is None:
        return "not named as Moodle does"
    if match["kind"] == _TYPED:
        return "text typed into Moodle"
    return f"no file, but what Moodle calls {match['kind']}"
