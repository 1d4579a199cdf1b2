"""Reads learning platforms' downloads by their file names: whose an entry is, which attempt, and whether it is late.

Each layout is known by the names of the entries alone (Gradescope's by its metadata file, Classroom 50's by its
marker); a class folder that fits none is `plain`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.intake.contents import NOISE, is_noise
from grader.people.identity import Identity
from grader.people.naming import told_apart

MARKER = ".classroom50.yaml"
METADATA = "submission_metadata.yml"

Part = tuple[str, Path]  # a file's name in the submission, and where it lies

# Names may hold any letters, and a student chooses a file's name. What the platform writes stands before that, so the
# leftmost place where its fixed parts fit is the platform's own.
_CANVAS = re.compile(r"(?P<name>.+?)(?P<late>_LATE)?_(?P<user>\d+)_(?P<attachment>\d+)_(?P<file>.+)", re.DOTALL)
_CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<name>anon)_(?P<user>\d+)_(?P<attachment>\d+)_(?P<file>.+)", re.DOTALL
)
_RESUBMITTED = re.compile(r"-(\d+)(?=(\.[^.]*)?$)")
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<file>.*))?", re.DOTALL
)


@dataclass(frozen=True)
class Handed:
    """One student's work as handed in: an entry at `path`, or the files in `parts`; `late` is the platform's word.

    `student` names it here, `who` is what the platform says of the person.
    """

    student: str
    path: Path
    parts: tuple[Part, ...] = ()
    late: bool = False
    at: datetime | None = None
    notes: tuple[str, ...] = ()
    who: Identity | None = None


@dataclass(frozen=True)
class Read:
    """A class folder as a layout reads it, with the entries that are nobody's, each with the reason."""

    handed: tuple[Handed, ...]
    ignored: tuple[tuple[str, str], ...]


def detect(folder: Path, listing: Sequence[Path]) -> str:
    """Name the layout that every visible entry fits, else `plain`."""
    entries = _visible(listing)
    return next((name for name, layout in _LAYOUTS.items() if entries and layout.fits(folder, entries)), PLAIN)


def read(name: str, folder: Path, listing: Sequence[Path]) -> Read:
    """Read who handed in what, in the order of the entries. `UsageError` where the layout's data cannot be read."""
    entries = _visible(listing)
    handed, ignored = _LAYOUTS[name].read(folder, entries)
    hidden = [(path.name, NOISE) for path in listing if is_noise(path.name)]
    # Students of the same name get their number in the platform, too.
    numbered = [f"{one.student} ({number})" if number else one.student for one, number in handed]
    names = told_apart([(one.student, name) for (one, _), name in zip(handed, numbered, strict=True)])
    named = tuple(replace(one, student=name) for (one, _), name in zip(handed, names, strict=True))
    return Read(named, (*hidden, *ignored))


def _visible(listing: Sequence[Path]) -> list[Path]:
    return [path for path in listing if not is_noise(path.name)]


Found = tuple[list[tuple[Handed, str]], list[tuple[str, str]]]  # with each student's number; and what is ignored


@dataclass(frozen=True)
class _Layout:
    fits: Callable[[Path, Sequence[Path]], bool]
    read: Callable[[Path, Sequence[Path]], Found]


# Canvas: flat files


def _is_canvas(folder: Path, entries: Sequence[Path]) -> bool:
    return all(_canvas(path) and not os.path.isdir(path) for path in entries)


def _canvas(path: Path) -> re.Match[str] | None:
    return _CANVAS_ANONYMOUS.fullmatch(path.name) or _CANVAS.fullmatch(path.name)


def _read_canvas(folder: Path, entries: Sequence[Path]) -> Found:
    by_user: dict[tuple[str, str], list[tuple[re.Match[str], Path]]] = {}
    ignored = []
    for path in entries:
        match = _canvas(path)
        if match:
            by_user.setdefault((match["name"], match["user"]), []).append((match, path))
        else:
            ignored.append((path.name, "not named as Canvas does"))
    return [(_of_canvas(*key, files), "") for key, files in by_user.items()], ignored


def _of_canvas(name: str, user: str, files: Sequence[tuple[re.Match[str], Path]]) -> Handed:
    """Put a student's files under their own names; where a file was handed in again, take the latest."""
    latest: dict[str, tuple[tuple[int, int], Path]] = {}
    notes = []
    for match, path in files:
        attempt = _RESUBMITTED.search(match["file"])
        own = _RESUBMITTED.sub("", match["file"])
        order = (int(attempt[1]) if attempt else 0, int(match["attachment"]))
        if own in latest:
            notes.append(f"{own} was handed in several times; the latest was taken")
        latest[own] = max(latest.get(own, (order, path)), (order, path))
    parts = tuple((own, path) for own, (_, path) in latest.items())
    late = any(match["late"] for match, _ in files)
    who = Identity("" if name == "anon" else name, "canvas", user)
    return Handed(f"{name} ({user})", files[0][1], parts, late, notes=tuple(dict.fromkeys(notes)), who=who)


# Moodle: a folder for each student, or flat files


def _is_moodle(folder: Path, entries: Sequence[Path]) -> bool:
    return all(_MOODLE.fullmatch(path.name) for path in entries)


def _read_moodle(folder: Path, entries: Sequence[Path]) -> Found:
    found: dict[tuple[str, str], Handed] = {}
    ignored = []
    for path in entries:
        match = _MOODLE.fullmatch(path.name)
        if not match:
            ignored.append((path.name, "not named as Moodle does"))
            continue
        if match["kind"] == "onlinetext":
            ignored.append((path.name, "text typed into Moodle"))
            continue
        key = (match["name"], match["id"])
        first = Handed(match["name"], path, who=Identity(match["name"], "moodle", match["id"]))
        if os.path.isdir(path):
            found[key] = first
        else:
            before = found.get(key, first)
            found[key] = replace(before, parts=(*before.parts, (match["file"] or path.name, path)))
    return [(one, number) for (_, number), one in found.items()], ignored


# Checkouts of `gh classroom clone` and of Classroom 50


def _is_clone(folder: Path, entries: Sequence[Path]) -> bool:
    slug = _slug(folder)
    return bool(slug) and all(os.path.isdir(path) and path.name.startswith(f"{slug}-") for path in entries)


def _slug(folder: Path) -> str:
    name = folder.resolve().name
    return name.removesuffix("-submissions") if name.endswith("-submissions") else ""


def _read_clone(folder: Path, entries: Sequence[Path]) -> Found:
    prefix = f"{_slug(folder)}-"
    why_not = f"not named {prefix}USERNAME"
    return _checkouts("github", entries, lambda path: path.name.startswith(prefix), prefix, why_not)


def _is_classroom50(folder: Path, entries: Sequence[Path]) -> bool:
    return all(os.path.isfile(path / MARKER) for path in entries)


def _read_classroom50(folder: Path, entries: Sequence[Path]) -> Found:
    prefix = _common([path.name for path in entries if os.path.isdir(path)])
    return _checkouts("classroom50", entries, os.path.isdir, prefix, "not a checkout")


def _checkouts(
    layout: str, entries: Sequence[Path], wanted: Callable[[Path], bool], prefix: str, why_not: str
) -> Found:
    """Make a student of each entry that is wanted; what follows the prefix is the login."""
    logins = {path: path.name.removeprefix(prefix) for path in entries if wanted(path)}
    found = [(Handed(login, path, who=Identity("", layout, login=login)), "") for path, login in logins.items()]
    return found, [(path.name, why_not) for path in entries if not wanted(path)]


def _common(names: Sequence[str]) -> str:
    """Find what names share up to a hyphen, `CLASSROOM-ASSIGNMENT-`; nothing for one name, as nothing divides it."""
    if len(names) < 2:
        return ""
    parts = [name.split("-") for name in names]
    shared = 0
    while all(len(part) > shared + 1 and part[shared] == parts[0][shared] for part in parts):
        shared += 1
    return "".join(f"{part}-" for part in parts[0][:shared])


# Gradescope: folders, and one file that says whose they are


def _is_gradescope(folder: Path, entries: Sequence[Path]) -> bool:
    return any(path.name == METADATA for path in entries)


def _read_gradescope(folder: Path, entries: Sequence[Path]) -> Found:
    data = _metadata(folder / METADATA)
    strangers = [path.name for path in entries if path.name not in data and path.name != METADATA]
    ignored = [(name, f"{METADATA} does not have it") for name in strangers]
    found = []
    for path in entries:
        if path.name not in data:
            continue
        about = data[path.name] if isinstance(data[path.name], Mapping) else {}
        named = about.get(":submitters")
        people = [one for one in named if isinstance(one, Mapping)] if isinstance(named, list) else []
        at = about.get(":created_at")
        at = at.replace(tzinfo=at.tzinfo or UTC) if isinstance(at, datetime) else None
        group = ", ".join(str(one.get(":name")) for one in people)
        notes = (f"handed in by a group: {group}",) if len(people) > 1 else ()
        # Every member is credited.
        for one in people:
            name = str(one.get(":name") or one.get(":email") or path.name)
            number = str(one.get(":sid") or one.get(":email") or path.name)
            found.append((Handed(name, path, at=at, notes=notes, who=_submitter(one)), number))
        if not people:
            ignored.append((path.name, f"{METADATA} names nobody for it"))
    return found, ignored


def _submitter(one: Mapping[str, Any]) -> Identity:
    name, sid, email = (str(one.get(key) or "") for key in (":name", ":sid", ":email"))
    return Identity(name, "gradescope", sid, email=email)


def _metadata(file: Path) -> Mapping[str, Any]:
    import yaml  # noqa: PLC0415 - Gradescope's downloads alone need it

    if file.is_symlink() or not file.is_file():  # opening a named pipe would wait for ever
        raise UsageError(f"{file}: is not a regular file; export the submissions again")
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{file}: cannot be read ({reason}); export the submissions again") from None
    if not isinstance(data, dict):
        raise UsageError(f"{file}: says nothing about submissions; export them again")
    return {str(key): value for key, value in data.items()}


_LAYOUTS = {
    "gradescope": _Layout(_is_gradescope, _read_gradescope),
    "canvas": _Layout(_is_canvas, _read_canvas),
    "moodle": _Layout(_is_moodle, _read_moodle),
    "classroom50": _Layout(_is_classroom50, _read_classroom50),
    "github": _Layout(_is_clone, _read_clone),
}


PLAIN = "plain"


LAYOUTS = (*_LAYOUTS, PLAIN)  # of class folders
