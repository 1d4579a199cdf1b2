"""Reads a download from Canvas: flat files, whose names say whose they are.

`silvaana_1001_5001_lenet.py`, with `_LATE` behind the name where it is late, and `LATE_anon_aX9bC_5062_…` where grading
is anonymous. Text that was typed in is `…_1001_text.html`, a link `…_1001_link.html`. Canvas downloads the latest
attempt only; a file that has been handed in before under its name gets `-1`, `-2` before its ending.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from grader.intake.folders.entries import Entry
from grader.intake.layouts.handed import Found, Handed, Part
from grader.people.identity import Identity

# Names may hold any letters, and a student chooses a file's name. What the platform writes stands before that, so the
# leftmost place where its fixed parts fit is the platform's own. A name without letters is empty.
_USER = r"(?P<name>.*?)(?P<late>_LATE)?_(?P<user>\d+)"
_ANONYMOUS = r"(?P<late>LATE_)?(?P<name>anon)_(?P<user>[A-Za-z0-9]+)"
_FILE = r"_(?P<attachment>\d+)_(?P<file>.+)"
_TYPED = r"_(?P<typed>text|link)\.html"
_FORMS = [re.compile(who + what, re.DOTALL) for what in (_FILE, _TYPED) for who in (_ANONYMOUS, _USER)]
_NUMBERED = re.compile(r"-(\d+)(?=(\.[^.]*)?$)")
_WHY_TYPED = {"text": "text typed into Canvas", "link": "a link handed in to Canvas"}


def fits(folder: Entry, entry: Entry) -> bool:
    """Tell whether Canvas writes such an entry."""
    return not entry.is_folder and _match(entry) is not None


def own_name(file: str) -> str:
    """Return the name that a student gave to a downloaded file; empty where Canvas does not write such names."""
    found = _parsed(file)
    return found["file"] if found and "file" in found.groupdict() else ""


def ids_of(file: str) -> tuple[str, str, str]:
    """Return what stands before the student's own name of a downloaded file, whose it is, and which attachment.

    All are empty where Canvas does not write such names, or no attachment belongs to it.
    """
    found = _parsed(file)
    if not found or "file" not in found.groupdict():
        return "", "", ""
    return file[: found.start("file")].removesuffix("_"), found["user"], found["attachment"]


def read(folder: Entry, entries: Sequence[Entry]) -> Found:
    """Read whose the files are."""
    by_user: dict[tuple[str, str], list[tuple[re.Match[str], Entry]]] = {}
    typed: dict[tuple[str, str], list[tuple[re.Match[str], Entry]]] = {}
    ignored = []
    for entry in entries:
        match = None if entry.is_folder else _match(entry)
        if match is None:
            ignored.append((entry.path.name, "not named as Canvas does"))
        else:
            found = typed if "typed" in match.groupdict() else by_user
            found.setdefault((match["name"], match["user"]), []).append((match, entry))
    handed = [(_handed(*key, files), "") for key, files in by_user.items()]
    for (name, user), ((match, entry), *more) in typed.items():
        rest = more
        if (name, user) in by_user:
            rest = [(match, entry), *more]
        else:
            one = Handed(_shown(name, user), entry.path, late=bool(match["late"]), who=_who(name, user))
            handed.append((replace(one, typed=_WHY_TYPED[match["typed"]]), ""))
        ignored += [(other.path.name, _WHY_TYPED[kind["typed"]]) for kind, other in rest]
    return handed, ignored


def _match(entry: Entry) -> re.Match[str] | None:
    return _parsed(entry.path.name)


def _parsed(file: str) -> re.Match[str] | None:
    return next((match for form in _FORMS if (match := form.fullmatch(file))), None)


def _handed(name: str, user: str, files: Sequence[tuple[re.Match[str], Entry]]) -> Handed:
    """Put a student's files together."""
    names = _own_names([match["file"] for match, _ in files])
    ordered = sorted(zip(names, files, strict=True), key=lambda pair: _order(pair[1][0]))
    parts: list[Part] = []
    for own, (match, entry) in ordered:
        taken = {part for part, _ in parts}
        parts.append((own if own not in taken else f"{match['attachment']}/{own}", entry.path))
    originals = [match["file"] for _, (match, _) in ordered]
    attempts = _attempts([part for part, _ in parts], originals)
    late = any(match["late"] for match, _ in files)
    who = _who(name, user)
    return Handed(_shown(name, user), files[0][1].path, tuple(parts), late, who=who, attempts=attempts)


def _who(name: str, user: str) -> Identity:
    return Identity("", "anonymous", user) if name == "anon" else Identity(name, "canvas", user)


def _shown(name: str, user: str) -> str:
    return f"{name or 'unnamed'} ({user})"


def _order(match: re.Match[str]) -> tuple[int, int]:
    number = _NUMBERED.search(match["file"])
    return int(number[1]) if number else 0, int(match["attachment"])


def _own_names(files: Sequence[str]) -> list[str]:
    """Return the names that a student gave to modules and data: without `-1`, unless two files then had the same.

    Notebooks and zips keep their name, as nothing imports them, and `week-5.zip` says a week.
    """
    plain = [_NUMBERED.sub("", file) for file in files]
    keeps = {".zip", ".ipynb"}
    return [
        file if PurePosixPath(file).suffix.lower() in keeps or plain.count(own) > 1 or not own else own
        for file, own in zip(files, plain, strict=True)
    ]


def _attempts(parts: Sequence[str], originals: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Group the parts that have one name but for their number, in the order of `parts`."""
    groups: dict[str, list[str]] = {}
    for part, original in zip(parts, originals, strict=True):
        groups.setdefault(_NUMBERED.sub("", original), []).append(part)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
