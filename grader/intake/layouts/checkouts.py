"""Reads checkouts of GitHub Classroom (`gh classroom clone`) and of Classroom 50, which are named after their users."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grader.intake.folders.entries import Entry
from grader.intake.layouts.handed import Found, Handed
from grader.people.identity import Identity

MARKER = ".classroom50.yaml"
_SUBMISSIONS = "-submissions"


def fits_clone(folder: Entry, entry: Entry) -> bool:
    """Tell whether it is a checkout `SLUG-USERNAME` in `SLUG-submissions`."""
    slug = _slug(folder)
    name = entry.path.name
    return bool(slug) and entry.is_folder and name.startswith(f"{slug}-") and name != f"{slug}{_SUBMISSIONS}"


def read_clone(folder: Entry, entries: Sequence[Entry]) -> Found:
    """Read whose the checkouts of `gh classroom clone` are."""
    prefix = f"{_slug(folder)}-"
    why_not = f"not named {prefix}USERNAME"
    return _checkouts("github", entries, lambda entry: fits_clone(folder, entry), prefix, why_not)


def fits_classroom50(folder: Entry, entry: Entry) -> bool:
    """Tell whether it is a checkout that Classroom 50 has marked."""
    return entry.is_folder and entry.holds(MARKER)


def read_classroom50(folder: Entry, entries: Sequence[Entry]) -> Found:
    """Read whose the checkouts of Classroom 50 are."""
    marked = [entry for entry in entries if fits_classroom50(folder, entry)]
    kept = {entry.path for entry in marked or entries if entry.is_folder}
    prefix = _common([path.name for path in sorted(kept)])
    return _checkouts("classroom50", entries, lambda entry: entry.path in kept, prefix, "not a checkout")


def _slug(folder: Entry) -> str:
    name = folder.path.resolve().name.removesuffix(".zip")
    return name.removesuffix(_SUBMISSIONS) if name.endswith(_SUBMISSIONS) else ""


def _checkouts(
    layout: str, entries: Sequence[Entry], wanted: Callable[[Entry], bool], prefix: str, why_not: str
) -> Found:
    """Make a student of each entry that is wanted; what follows the prefix is the login."""
    logins = {entry.path: entry.path.name.removeprefix(prefix) for entry in entries if wanted(entry)}
    found = [(Handed(login, path, who=Identity("", layout, login=login)), "") for path, login in logins.items()]
    return found, [(entry.path.name, why_not) for entry in entries if not wanted(entry)]


def _common(names: Sequence[str]) -> str:
    """Find what names share up to a hyphen, `CLASSROOM-ASSIGNMENT-`; nothing for one name, as nothing divides it."""
    if len(names) < 2:
        return ""
    parts = [name.split("-") for name in names]
    shared = 0
    while all(len(part) > shared + 1 and part[shared] == parts[0][shared] for part in parts):
        shared += 1
    return "".join(f"{part}-" for part in parts[0][:shared])
