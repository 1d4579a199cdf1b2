"""Tells by evidence which platform a class folder was downloaded from, and reads it as that platform's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from grader.intake.folders.entries import Entry
from grader.intake.layouts import blackboard, brightspace, canvas, checkouts, gradescope, moodle
from grader.intake.layouts.gradescope import About
from grader.intake.layouts.handed import Found, Handed, Read
from grader.intake.noise import NOISE, is_noise
from grader.people.naming import told_apart


class Reader(Protocol):
    """Reads the files in which platforms say whose entries are."""

    def metadata(self, file: Path) -> Mapping[str, About]:
        """Return what Gradescope says of an export. `SubmissionError` where it cannot be read."""

    def first_line(self, file: Path) -> str:
        """Return the first line of a small text, empty where it cannot be read."""


@dataclass(frozen=True)
class _Layout:
    name: str  # as people call it
    fitting: Callable[[Entry, Sequence[Entry]], Sequence[Entry]]  # which of the folder's entries look like it?
    read: Callable[[Entry, Sequence[Entry], Reader], Found]


def _each(fits: Callable[[Entry, Entry], bool]) -> Callable[[Entry, Sequence[Entry]], Sequence[Entry]]:
    return lambda folder, entries: [entry for entry in entries if fits(folder, entry)]


_LAYOUTS = {
    "gradescope": _Layout(
        "Gradescope", _each(gradescope.fits), lambda _, entries, reader: gradescope.read(entries, reader.metadata)
    ),
    # Before Canvas, whose names may begin like these.
    "blackboard": _Layout(
        "Blackboard",
        _each(blackboard.fits),
        lambda folder, entries, reader: blackboard.read(folder, entries, reader.first_line),
    ),
    "brightspace": _Layout(
        "Brightspace", _each(brightspace.fits), lambda folder, entries, _: brightspace.read(folder, entries)
    ),
    "canvas": _Layout("Canvas", _each(canvas.fits), lambda folder, entries, _: canvas.read(folder, entries)),
    "moodle": _Layout("Moodle", _each(moodle.fits), lambda folder, entries, _: moodle.read(folder, entries)),
    "classroom50": _Layout(
        "Classroom 50",
        _each(checkouts.fits_classroom50),
        lambda folder, entries, _: checkouts.read_classroom50(folder, entries),
    ),
    "github": _Layout(
        "GitHub Classroom", checkouts.clones, lambda folder, entries, _: checkouts.read_clone(folder, entries)
    ),
}
PLAIN = "plain"
LAYOUTS = (*_LAYOUTS, PLAIN)  # of class folders


@dataclass(frozen=True)
class Evidence:
    """The platform that most entries of a folder look like, how many do, and the entries that speak against it."""

    layout: str = PLAIN
    fitting: int = 0
    rivals: tuple[Entry, ...] = ()

    @property
    def platform(self) -> str:
        """The platform as people call it."""
        return called(self.layout)

    @property
    def is_clear(self) -> bool:
        """Tell whether more entries speak for it than against it."""
        return self.fitting > len(self.rivals)


def called(layout: str) -> str:
    """Return a layout's platform as people call it."""
    return _LAYOUTS[layout].name if layout in _LAYOUTS else layout


def fits(layout: str, folder: Entry, listing: Sequence[Entry]) -> bool:
    """Tell whether any of a folder's entries looks like a layout's."""
    return bool(_LAYOUTS[layout].fitting(folder, _visible(listing)))


def evidence_of(folder: Entry, listing: Sequence[Entry], may_be_work: Callable[[Entry], bool]) -> Evidence:
    """Gather the evidence for the platform that more entries look like than any other's.

    Only an entry that `may_be_work` of a student speaks against it: a teacher's table beside a download does not.
    """
    entries = _visible(listing)
    best = Evidence()
    for name, layout in _LAYOUTS.items():
        fitting = layout.fitting(folder, entries)
        if len(fitting) > best.fitting:
            known = {entry.path for entry in fitting}
            rivals = [entry for entry in entries if entry.path not in known and may_be_work(entry)]
            # The metadata says itself whose the entries are, and there is nothing like it elsewhere.
            best = Evidence(name, len(fitting), () if name == "gradescope" else tuple(rivals))
        if best.layout == "gradescope":
            break
    return best


def read(name: str, folder: Entry, listing: Sequence[Entry], reader: Reader) -> Read:
    """Read who handed in what, in the order of the entries. `UsageError` where the layout's data cannot be read."""
    return read_all([(name, folder, listing)], reader)[0]


def read_all(downloads: Sequence[tuple[str, Entry, Sequence[Entry]]], reader: Reader) -> list[Read]:
    """Read several downloads of one class; who has the same name and number in two of them is the same student."""
    found = [_LAYOUTS[name].read(folder, _visible(listing), reader) for name, folder, listing in downloads]
    people = [_people(name, handed) for (name, _, _), (handed, _) in zip(downloads, found, strict=True)]
    distinct = list(dict.fromkeys(person for each in people for person in each))
    names = dict(zip(distinct, told_apart([_called(person) for person in distinct]), strict=True))
    return [
        _divided(listing, ignored, [replace(one, student=names[p]) for (one, _), p in zip(handed, each, strict=True)])
        for (_, _, listing), (handed, ignored), each in zip(downloads, found, people, strict=True)
    ]


def _divided(listing: Sequence[Entry], ignored: Sequence[tuple[str, str]], handed: Sequence[Handed]) -> Read:
    """Divide files from what was typed, which nobody reads: unless there is a file, too, its student is named."""
    noise = [(entry.path.name, NOISE) for entry in listing if is_noise(entry.path.name)]
    typed = tuple(one for one in handed if one.typed)
    unread = [(one.path.name, one.typed) for one in typed]
    return Read(tuple(one for one in handed if not one.typed), (*noise, *ignored, *unread), typed)


_Person = tuple[str, str, str, int]  # layout, name, number, and which of those that have all three alike in a download


def _people(layout: str, handed: Sequence[tuple[Handed, str]]) -> list[_Person]:
    seen: Counter[tuple[str, str]] = Counter()
    people = []
    for one, number in handed:
        if one.who is None or not one.who.login:  # a login is one person's, however many entries it has
            seen[one.student, number] += 1
        people.append((layout, one.student, number, seen[one.student, number]))
    return people


def _called(person: _Person) -> tuple[str, str]:
    """Return a name, and the one with the number in the platform, for those who share the first."""
    _, student, number, _ = person
    return student, f"{student} ({number})" if number else student


def _visible(listing: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in listing if not is_noise(entry.path.name)]
