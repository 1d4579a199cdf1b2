"""Finds out what a folder is as a whole: one platform's download, several of them, or a class of one entry a student.

Several downloads under one folder (`w4/`, `w6.zip`) are one class with several weeks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import DownloadTooLarge, SubmissionError, UsageError
from grader.intake import layouts
from grader.intake.folders.entries import DiskEntry, Entry, list_folder, zipped
from grader.intake.folders.students import finds, is_container, why_ignored
from grader.intake.layouts import PLAIN, Evidence
from grader.intake.noise import is_noise
from grader.intake.reading.desk import Desk
from grader.intake.weeks import Weeks

MOST_DOWNLOADS = 40  # in a folder of more entries, none is looked at as a download of its own
DEEPEST = 3  # folders around a download that hold nothing else
Ignored = list[tuple[str, str]]


@dataclass(frozen=True)
class Download:
    """A folder or zip that a platform has made; `around` is its path in the class folder, "" or as in `w4/`."""

    layout: str
    folder: Entry
    listing: Sequence[Entry]
    around: str = ""


@dataclass(frozen=True)
class Kind:
    """What a class folder is: `downloads`, or a plain class of the entries in `listing`.

    `ignored` is what is neither, each with the reason, and `evidence` what the entries look like.
    """

    root: Entry
    listing: Sequence[Entry]
    downloads: tuple[Download, ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()
    evidence: Evidence = field(default_factory=Evidence)


def open_class(folder: Path, weeks: Weeks, desk: Desk) -> tuple[Entry, Sequence[Entry], Ignored]:
    """List a class folder, or the zip of one; also what is refused of a zip. `UsageError` where that cannot be done."""
    if folder.suffix.lower() != ".zip" or not os.path.isfile(folder):
        return DiskEntry(folder), list_folder(folder), []
    try:
        root, refused = _opened(folder, weeks, desk)
    except SubmissionError as error:
        raise UsageError(f"{folder}: {str(error).removeprefix(f'{folder.name} ')}") from None
    if not root.inner():
        raise UsageError(f"no submission in {folder}: it is empty")
    return root, root.inner(), refused


def kind_of(folder: Path, weeks: Weeks, desk: Desk, layout: str | None = None) -> Kind:
    """Find out what a class folder is; with a `layout`, read it as that. `UsageError` where nobody can tell."""
    root, listing, refused = open_class(folder, weeks, desk)
    if layout == PLAIN:
        return Kind(root, listing, ignored=tuple(refused))
    found = layouts.evidence_of(root, listing, lambda entry: why_ignored(entry, weeks) is None)
    whole = (Download(layout or found.layout, root, listing),)
    if layout is None and found.is_clear:
        return Kind(root, listing, whole, tuple(refused), found)
    inner = _downloads(root, listing, weeks, desk, layout)
    rivals = [entry for entry in found.rivals if entry.path not in inner]
    if layout is not None:
        named = not inner or layouts.fits(layout, root, listing)
        return Kind(root, listing, whole if named else tuple(inner.values()), tuple(refused), found)
    if found.fitting > len(rivals):
        return Kind(root, listing, whole, tuple(refused), found)
    if found.fitting > 1 and found.fitting * 2 > len(rivals):
        raise UsageError(
            f"{folder}: {found.fitting} entries are named as {found.platform} does, {len(rivals)} are not "
            f"({_some(rivals)}); say what it is with --layout {found.layout} or --layout {PLAIN}"
        )
    return _of_downloads(Kind(root, listing, (), tuple(refused), found), inner, weeks, desk)


def _of_downloads(kind: Kind, inner: dict[Path, Download], weeks: Weeks, desk: Desk) -> Kind:
    """Take a folder for one of downloads, unless it holds as many students as downloads."""
    if not inner:
        return kind
    rest = [entry for entry in kind.listing if entry.path not in inner]
    students = [entry for entry in rest if not weeks.is_name_of_one(entry.path.name) and finds(entry, weeks, desk)]
    first = next(iter(inner.values()))
    if len(students) == len(inner):
        raise UsageError(
            f"{kind.root.path}: {first.around} is a download from {layouts.called(first.layout)}, and "
            f"{_some(students)} a student's own; give the folder of the one or of the other, or go on with "
            f"--layout {PLAIN}"
        )
    if len(students) > len(inner):
        beside = [
            (one.around, f"a download from {layouts.called(one.layout)} beside students") for one in inner.values()
        ]
        return Kind(kind.root, rest, (), (*kind.ignored, *beside), kind.evidence)
    ignored = [(entry.path.name, why_ignored(entry, weeks) or "beside downloads, and none itself") for entry in rest]
    return Kind(kind.root, kind.listing, tuple(inner.values()), (*kind.ignored, *ignored), kind.evidence)


def _downloads(
    root: Entry, listing: Sequence[Entry], weeks: Weeks, desk: Desk, layout: str | None
) -> dict[Path, Download]:
    """Find the entries that are downloads themselves, by their paths; with a `layout`, those of that platform.

    An entry with a student's name beside others is that student's, whatever it holds; alone it is a `UsageError`, and
    so is a download that cannot be opened in the zip in which it lies.
    """
    entries = [entry for entry in listing if not why_ignored(entry, weeks) and not entry.is_link]
    if len(entries) > MOST_DOWNLOADS:
        return {}
    found: dict[Path, Download | None] = {}
    large = {}
    for entry in entries:
        try:
            found[entry.path] = _download(entry, weeks, desk)
        except DownloadTooLarge as error:
            large[entry.path] = str(error)
    downloads = {path: one for path, one in found.items() if one and layout in (None, one.layout)}
    certain = {entry.path for entry in entries if is_container(entry, weeks, root)}
    for path, why in large.items():  # a student's, unless it is called as a download is, or lies beside some
        if path in certain or downloads.keys() & certain:
            raise UsageError(why)
    if layout is None and downloads.keys() - certain and len(downloads) == len(entries):
        doubtful = next(one for path, one in downloads.items() if path not in certain)
        raise UsageError(
            f"{root.path}: {doubtful.around} may be a download from {layouts.called(doubtful.layout)}, or one "
            f"student's; if it is a download, go on with --layout {doubtful.layout}, if not, with --layout {PLAIN}"
        )
    return {path: one for path, one in downloads.items() if layout or path in certain}


def _download(entry: Entry, weeks: Weeks, desk: Desk) -> Download | None:
    inside, around = entry, f"{entry.path.name}/"
    if not entry.is_folder:
        if entry.path.suffix.lower() != ".zip":
            return None
        try:
            inside, _ = _opened(entry.path, weeks, desk)
        except DownloadTooLarge:
            raise
        except SubmissionError:
            return None
    for _ in range(DEEPEST):
        listing = inside.inner()
        found = layouts.evidence_of(inside, listing, lambda one: why_ignored(one, weeks) is None)
        if found.is_clear:
            return Download(found.layout, inside, listing, around)
        visible = [one for one in listing if not is_noise(one.path.name)]
        if len(visible) != 1 or not visible[0].is_folder or visible[0].is_link:
            return None
        inside, around = visible[0], f"{around}{visible[0].path.name}/"
    return None


def _opened(file: Path, weeks: Weeks, desk: Desk) -> tuple[Entry, Ignored]:
    names, refused = desk.members(file, weeks)
    return zipped(file, names), refused


def _some(entries: Sequence[Entry]) -> str:
    names = [entry.path.name for entry in entries]
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
