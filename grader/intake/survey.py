"""What a class folder holds: each student's weeks, and the entries that are nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import Course
from grader.errors import UsageError
from grader.intake import layouts
from grader.intake.candidate import Candidate, candidates_handed, candidates_of
from grader.intake.classfolder import (
    find_entries,
    is_one_submission,
    list_folder,
    student_name,
    students_of,
    why_ignored,
)
from grader.intake.weeks import Weeks
from grader.options import PLAIN


@dataclass(frozen=True)
class Survey:
    """What a class folder holds: candidates, and the entries that are no submissions with the reason."""

    candidates: tuple[Candidate, ...]
    ignored: tuple[tuple[str, str], ...]
    layout: str = PLAIN


def survey(folder: Path, course: Course, weeks: Sequence[str] | None = None, layout: str | None = None) -> Survey:
    """Who handed in which week, sorted by names; without `weeks` every week that is there.

    `layout` is one of `options.LAYOUTS`; without it, the one that the entries' names fit. Raises `UsageError` where
    the folder is missing, unreadable or without any submission, or a week is unknown.
    """
    known = Weeks(course.assignments(), tuple(course.assignment(week).week for week in weeks or ()))
    listing = list_folder(folder)
    layout = layout or layouts.detect(folder, listing)
    if layout != PLAIN:
        return _platform(layout, folder, listing, known)
    if is_one_submission(folder, listing, known):
        whole = folder.resolve()
        return Survey(tuple(candidates_of(whole, student_name(whole), "", known)), ())
    ignored = [(path.name, why) for path in listing if (why := why_ignored(path, known))]
    entries = list(find_entries([path for path in listing if not why_ignored(path, known)], known))
    if not entries:
        raise UsageError(
            f"no submission in {folder}: there must be a folder, zip, notebook or .py file for each student"
        )
    candidates = [
        candidate
        for (path, around), name in zip(entries, students_of(entries), strict=True)
        for candidate in candidates_of(path, name, around, known)
    ]
    return Survey(_sorted(candidates), tuple(ignored))


def _platform(layout: str, folder: Path, listing: Sequence[Path], known: Weeks) -> Survey:
    found = layouts.read(layout, folder, listing)
    if not found.handed:
        raise UsageError(f"no submission in {folder} is named as {layout} does; try --layout {PLAIN}")
    candidates = [candidate for handed in found.handed for candidate in candidates_handed(handed, known)]
    return Survey(_sorted(candidates), found.ignored, layout)


def _sorted(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    return tuple(sorted(candidates, key=lambda c: (c.student, c.week or "")))
