"""Compares the works of a class, week by week: all that can be read, without the code that every student got."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from grader.course import Assignment, Course
from grader.errors import SubmissionError
from grader.escape import terminal
from grader.intake import Candidate, load
from grader.similarity.compare import Pair, Work, similar_pairs, text_of
from grader.similarity.tokens import rest

MOST = 200  # pairs; whoever has more has another problem


def pairs_in_class(course: Course, candidates: Sequence[Candidate], least: float) -> list[Pair]:
    """Find the pairs of all weeks that share at least `least` of their code, the most alike first, up to `MOST`."""
    pairs: list[Pair] = []
    try:
        for week, works in works_by_week(candidates).items():
            pairs += similar_pairs(works, handout(course.assignment(week)), least, _say_not_compared)
    finally:
        rest()
    return sorted(pairs, key=lambda pair: -pair.share)[:MOST]


def _say_not_compared(work: Work, why: str) -> None:
    _say_left_out(work.student, work.week, why)


def _say_left_out(student: str, week: str, why: str) -> None:
    # Whoever is not compared is named, since hiding a copy may be the point of a work that cannot be read.
    print(terminal(f"not compared: {student}, {week}: {why}"), file=sys.stderr)


def works_by_week(candidates: Sequence[Candidate]) -> dict[str, list[Work]]:
    """Read what can be read, by week; the work that a group shares counts once, under all its names."""
    found: dict[str, dict[tuple[object, ...], Work]] = {}
    for candidate in candidates:
        try:
            submission = load(candidate)
        except SubmissionError as error:
            _say_left_out(candidate.student, str(candidate.week or "no week"), str(error))
            continue
        works = found.setdefault(submission.week, {})
        key = (candidate.path, *candidate.parts)  # entries at one path are one: a group's work, which each member has
        others = f"{works[key].student}, " if key in works else ""
        works[key] = Work(f"{others}{submission.student}", submission.week, text_of(submission.files))
    return {week: list(works.values()) for week, works in found.items()}


def handout(assignment: Assignment) -> str:
    """Return the text that every student of a week got: the skeletons, and the public checks and probes."""
    return text_of({file.name: file.read_bytes() for file in assignment.folder.glob("*.py")})
