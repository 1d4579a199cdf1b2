"""Reads checkouts of GitHub Classroom (`gh classroom clone`) and of Classroom 50, which are named after their users.

Where neither the folder's name nor a mark says so, checkouts are known by what they hold, and their users by where they
come from: repositories of one owner that share the beginning of their names, or one repository's forks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.intake.folders.entries import Entry
from grader.intake.layouts.handed import Found, Handed
from grader.intake.layouts.remotes import Repository, repository_of
from grader.people.identity import Identity

MARKER = ".classroom50.yaml"
FEWEST = 3  # checkouts that tell by their names alone what they share
_SUBMISSIONS = "-submissions"
_OF_GIT = (".git", ".github", ".gitignore")


def clones(folder: Entry, entries: Sequence[Entry]) -> list[Entry]:
    """Return the checkouts: `SLUG-USERNAME` in `SLUG-submissions`, or whatever git has made whose users are known."""
    logins = _logins(folder, entries)
    return [entry for entry in entries if entry.path in logins]


def read_clone(folder: Entry, entries: Sequence[Entry]) -> Found:
    """Read whose the checkouts are."""
    logins = _logins(folder, entries)
    if not logins:  # somebody says that it is such a folder
        names = {entry.path: Repository(entry.path.name) for entry in entries if entry.is_folder}
        logins = _by_prefix(names)
    why_not = f"not named {_slug(folder)}-USERNAME" if _slug(folder) else "no checkout whose user is known"
    return _checkouts("github", entries, logins, why_not)


def fits_classroom50(folder: Entry, entry: Entry) -> bool:
    """Tell whether it is a checkout that Classroom 50 has marked."""
    return entry.is_folder and entry.holds(MARKER)


def read_classroom50(folder: Entry, entries: Sequence[Entry]) -> Found:
    """Read whose the checkouts of Classroom 50 are."""
    marked = [entry for entry in entries if fits_classroom50(folder, entry)]
    kept = {entry.path: Repository(entry.path.name) for entry in marked or entries if entry.is_folder}
    prefix = _common([name.name for name in kept.values()])
    logins = {path: one.name.removeprefix(prefix) for path, one in kept.items()}
    return _checkouts("classroom50", entries, logins, "not a checkout")


def _logins(folder: Entry, entries: Sequence[Entry]) -> dict[Path, str]:
    """Return the users of checkouts, by the path; only of those where something tells them."""
    if slug := _slug(folder):
        prefix, own = f"{slug}-", f"{slug}{_SUBMISSIONS}"
        names = {entry.path: entry.path.name for entry in entries if entry.is_folder}
        return {
            path: name.removeprefix(prefix) for path, name in names.items() if name.startswith(prefix) and name != own
        }
    found = {
        entry.path: repository_of(entry.path)
        for entry in entries
        if entry.is_folder and not entry.is_link and any(map(entry.holds, _OF_GIT))
    }
    known = {path: one for path, one in found.items() if one.owner}
    if not known:
        return _by_prefix(found) if len(found) >= FEWEST else {}
    return _of_one_owner(known) | _forks(known)


def _of_one_owner(repositories: Mapping[Path, Repository]) -> dict[Path, str]:
    """Return the users of repositories of one owner, `SLUG-USERNAME`, for each assignment."""
    groups: dict[tuple[str, str], dict[Path, Repository]] = {}
    for path, one in repositories.items():
        groups.setdefault((one.owner.casefold(), one.name.partition("-")[0]), {})[path] = one
    return {path: login for group in groups.values() for path, login in _by_prefix(group).items()}


def _forks(repositories: Mapping[Path, Repository]) -> dict[Path, str]:
    """Return the owners of repositories that are all called the same."""
    count = Counter(one.name.casefold() for one in repositories.values())
    owners: dict[str, set[str]] = {}
    for one in repositories.values():
        owners.setdefault(one.name.casefold(), set()).add(one.owner.casefold())
    return {
        path: one.owner
        for path, one in repositories.items()
        if count[one.name.casefold()] == len(owners[one.name.casefold()]) > 1
    }


def _by_prefix(repositories: Mapping[Path, Repository]) -> dict[Path, str]:
    prefix = _common([one.name for one in repositories.values()])
    return {path: one.name.removeprefix(prefix) for path, one in repositories.items()} if prefix else {}


def _slug(folder: Entry) -> str:
    name = folder.path.resolve().name.removesuffix(".zip")
    return name.removesuffix(_SUBMISSIONS) if name.endswith(_SUBMISSIONS) else ""


def _checkouts(layout: str, entries: Sequence[Entry], logins: Mapping[Path, str], why_not: str) -> Found:
    """Make a student of each entry whose user is known."""
    found = [(Handed(login, path, who=Identity("", layout, login=login)), "") for path, login in logins.items()]
    return found, [(entry.path.name, why_not) for entry in entries if entry.path not in logins]


def _common(names: Sequence[str]) -> str:
    """Find what names share up to a hyphen, `CLASSROOM-ASSIGNMENT-`; nothing for one name, as nothing divides it."""
    if len(names) < 2:
        return ""
    parts = [name.split("-") for name in names]
    shared = 0
    while all(len(part) > shared + 1 and part[shared] == parts[0][shared] for part in parts):
        shared += 1
    return "".join(f"{part}-" for part in parts[0][:shared])
