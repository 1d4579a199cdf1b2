"""Surveys a class folder: finds each student's weeks, and the entries that are nobody's.

Each entry is read once, by a process with a budget (`grader.intake.reading`). Its files are carried along until they
are graded, for as many submissions as `MOST_CARRIED` allows. Of all others the digest alone is kept, and `load` reads
them again when their turn comes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from grader.course import Course
from grader.errors import SubmissionError, UsageError
from grader.intake import layouts
from grader.intake.candidate import Candidate
from grader.intake.collect import Collected, clipped
from grader.intake.contents import MIB
from grader.intake.doubts import once_each, refuse_phantoms
from grader.intake.folders.downloads import Download, Kind, kind_of
from grader.intake.folders.students import (
    OTHER_ARCHIVES,
    find_entries,
    is_one_submission,
    named_after,
    students_of,
    why_ignored,
)
from grader.intake.layouts import PLAIN, Handed, Part
from grader.intake.reading.desk import DESK
from grader.intake.reading.refusals import Refusals
from grader.intake.weeks import Weeks

# Ten thousand usual submissions of some 20 KB fit in, and so do the judges of a small machine beside them.
MOST_CARRIED = 256 * MIB


@dataclass(frozen=True)
class Survey:
    """The content of a class folder: candidates, and the entries that are no submissions, each with the reason.

    `typed` are those among the ignored that a student handed in in place of a file.
    """

    candidates: tuple[Candidate, ...]
    ignored: tuple[tuple[str, str], ...]
    layout: str = PLAIN
    typed: tuple[Candidate, ...] = ()


def survey(
    folder: Path,
    course: Course,
    weeks: Sequence[str] | None = None,
    layout: str | None = None,
    most_carried: int = MOST_CARRIED,
    refusals: Refusals | None = None,
) -> Survey:
    """Find who handed in which week, sorted by names; without `weeks` every week that is there.

    `layout` is one of `layouts.LAYOUTS`; without it, the one that the entries' names fit. Submissions are carried along
    up to `most_carried` bytes together. Entries in `refusals` are not read again, and others come to them. Raises
    `UsageError` where the folder is missing, unreadable or without any submission, or a week is unknown.
    """
    known = Weeks(course.assignments(), tuple(course.assignment(week).week for week in weeks or ()))
    DESK.refusals = refusals or Refusals()
    try:
        kind = kind_of(folder, known, DESK, layout)
        if kind.downloads:
            return _downloaded(folder, kind, known, most_carried)
        return _plain(folder, kind, known, most_carried, is_meant=layout is not None)
    finally:
        DESK.rest()


def _plain(folder: Path, kind: Kind, known: Weeks, most_carried: int, is_meant: bool) -> Survey:
    if is_one_submission(kind.listing, known, DESK):
        whole = folder.resolve()
        own = candidates_of(whole, named_after(whole), "", known)
        return Survey(tuple(_carried(own, most_carried)), kind.ignored)
    ignored = [(one.path.name, why) for one in kind.listing if (why := why_ignored(one, known))]
    listing = [one for one in kind.listing if not why_ignored(one, known)]
    entries, nobodys = find_entries(listing, known, DESK, kind.root, is_plain=is_meant)
    if not entries:
        raise UsageError(
            f"no submission in {folder}: there must be a folder, zip, notebook or .py file for each student"
        )
    candidates = (
        candidate
        for (entry, around), name in zip(entries, students_of(entries), strict=True)
        for candidate in candidates_of(entry.path, name, around, known)
    )
    found = _sorted(_carried(candidates, most_carried))
    if not is_meant:
        refuse_phantoms(folder, found, kind.evidence)
    return Survey(found, (*kind.ignored, *ignored, *nobodys))


def _downloaded(folder: Path, kind: Kind, known: Weeks, most_carried: int) -> Survey:
    read = layouts.read_all([(one.layout, one.folder, one.listing) for one in kind.downloads], DESK)
    if not any(one.handed or one.typed for one in read):
        called = kind.downloads[0].layout
        raise UsageError(f"no submission in {folder} is named as {called} does; try --layout {PLAIN}")
    candidates = (
        candidate
        for download, one in zip(kind.downloads, read, strict=True)
        for handed in one.handed
        for candidate in candidates_handed(handed, known, download.around)
    )
    ignored = [
        (f"{download.around}{name}", why)
        for download, one in zip(kind.downloads, read, strict=True)
        for name, why in one.ignored
    ]
    found = [_timed(one, known) for one in _of_weeks(_carried(candidates, most_carried), read)]
    typed = tuple(_timed(one, known) for one in _typed(found, read))
    return Survey(once_each(_sorted(found)), (*kind.ignored, *ignored), _layout_of(kind.downloads), typed)


def _of_weeks(candidates: Iterable[Candidate], read: Sequence[layouts.Read]) -> list[Candidate]:
    """Return candidates; one without a week is of that which all others of the download are: it is one assignment."""
    download = {one.path: number for number, each in enumerate(read) for one in each.handed}
    found = list(candidates)
    weeks: dict[int, set[str]] = {}
    for one in found:
        if one.week is not None and one.place is not None:
            weeks.setdefault(download[one.path], set()).add(one.week)
    single = {number: min(own) for number, own in weeks.items() if len(own) == 1}
    return [one if one.week else replace(one, week=single.get(download[one.path])) for one in found]


def _typed(found: Sequence[Candidate], read: Sequence[layouts.Read]) -> Iterator[Candidate]:
    """Make a candidate that says so of each student who handed in text or a link, and no file."""
    for each in read:
        files = {one.path for one in each.handed}
        weeks = {one.week for one in found if one.path in files and one.week}
        week = weeks.pop() if len(weeks) == 1 else None
        for one in each.typed:
            problem = f"{one.typed}, and no file: look at {one.path.name}"
            yield replace(_problem(one.path, one.student, week, problem), handed=one)


def _layout_of(downloads: Sequence[Download]) -> str:
    return ", ".join(dict.fromkeys(download.layout for download in downloads))


def _sorted(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    return tuple(sorted(candidates, key=lambda c: (c.student, c.week or "")))


def _carried(candidates: Iterable[Candidate], most_bytes: int) -> Iterator[Candidate]:
    """Yield the candidates, with their files as long as these take at most `most_bytes` together."""
    for candidate in candidates:
        found = candidate.collected
        if not isinstance(found, Collected) or found.files is None:
            yield candidate
            continue
        fits = found.size <= most_bytes
        most_bytes -= found.size if fits else 0
        yield candidate if fits else replace(candidate, collected=found.without_files())


def candidates_handed(handed: Handed, weeks: Weeks, around: str = "") -> list[Candidate]:
    """Make a candidate for each week that a student handed in, as a platform's layout has it."""
    if handed.problem:
        found = [_problem(handed.path, handed.student, _told(f"{around}{handed.path.name}", weeks), handed.problem)]
    else:
        found = candidates_of(handed.path, handed.student, around, weeks, handed.parts, handed.attempts)
    return [replace(candidate, handed=handed) for candidate in found]


def _timed(candidate: Candidate, weeks: Weeks) -> Candidate:
    """Say of a time on a clock on the wall where that clock hangs: where the course is held, once the week is known."""
    handed = candidate.handed
    if handed is None or handed.at is None or handed.at.tzinfo is not None:
        return candidate
    assignment = weeks.assignments.get(candidate.week or "")
    zone = (assignment.zone or (assignment.due and assignment.due.tzinfo)) if assignment else None
    return replace(candidate, handed=replace(handed, at=handed.at.replace(tzinfo=zone or UTC)))


def candidates_of(
    path: Path,
    student: str,
    around: str,
    weeks: Weeks,
    parts: Sequence[Part] = (),
    attempts: Sequence[Sequence[str]] = (),
) -> list[Candidate]:
    """Make a candidate for each week that an entry holds or should hold; `around` is the week's folder around it."""
    name = f"{around}{path.name}"
    try:
        for file in [part for _, part in parts] or [path]:
            if file.suffix.lower() in OTHER_ARCHIVES and not os.path.isdir(file):
                raise SubmissionError(f"{file.name}: a {file.suffix} file cannot be read; ask for a zip file")
        found = DESK.read(path, name, weeks, parts, attempts)
    except SubmissionError as error:
        return [_problem(path, student, _told(name, weeks), str(error))]
    return [
        Candidate(student, one.week, path, one.place, weeks, collected=one.collected)
        if one.place
        else replace(_problem(path, student, one.week, one.problem), is_empty=one.is_empty)
        for one in found
    ]


def _problem(path: Path, student: str, week: str | None, problem: str) -> Candidate:
    return Candidate(student, week, path, problem=clipped(problem))


def _told(name: str, weeks: Weeks) -> str | None:
    """Tell the one week of an unreadable entry, by its name or as no other is asked for; None if it may be any."""
    named = weeks.named(name)
    possible = [named] if named and named in (weeks.expected or weeks.assignments) else weeks.single
    return possible[0] if possible else None
