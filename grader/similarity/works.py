"""Compares the works of a class, week by week: all that can be read, without the code that every student got."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grader.course import Assignment, Course
from grader.errors import SubmissionError
from grader.escape import terminal
from grader.intake import Candidate, load
from grader.people.naming import folded_name
from grader.similarity.clusters import Cluster, clusters_of
from grader.similarity.compare import Pair, Work, similar_pairs, text_of
from grader.similarity.mistakes import Mistakes
from grader.similarity.tokens import rest

MOST = 200  # pairs; whoever has more has another problem
# With so many rare mistakes in common, works are shown that share so much less of their code.
TELLING, LESS = 2, 0.6


@dataclass(frozen=True)
class Classes:
    """A class, its groups by the names of their members, earlier years' candidates by folder, and known mistakes."""

    candidates: Sequence[Candidate]
    group_of: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[Candidate]] = field(default_factory=dict)
    mistakes: Mistakes = field(default_factory=Mistakes)


@dataclass(frozen=True)
class Likeness:
    """What was found: clusters of alike works, and how many pairs were left aside as one group's or one person's."""

    clusters: Sequence[Cluster]
    aside: int = 0
    cut: int = 0  # pairs beyond `MOST`


def compare_classes(course: Course, classes: Classes, least: float) -> Likeness:
    """Find the works of all weeks that share at least `least` of their code, the most alike first, up to `MOST`."""
    aside: set[frozenset[Work]] = set()

    def together(left: Work, right: Work) -> bool:
        if one := _belong_together(left, right, classes.group_of):
            aside.add(frozenset((left, right)))
        return one

    pairs: list[Pair] = []
    try:
        for week, works in _all_works(classes).items():
            pairs += _pairs(course.assignment(week), works, least, classes.mistakes, together)
    finally:
        rest()
    pairs.sort(key=lambda pair: (-pair.share, -len(pair.mistakes)))
    return Likeness(clusters_of(pairs[:MOST]), len(aside), max(0, len(pairs) - MOST))


def _pairs(
    assignment: Assignment, works: Sequence[Work], least: float, mistakes: Mistakes, aside: Callable[[Work, Work], bool]
) -> list[Pair]:
    lowest = least * LESS if mistakes else least
    found = similar_pairs(works, handout(assignment), lowest, _say_not_compared, aside)
    pairs = [replace(pair, mistakes=mistakes.shared(pair)) for pair in found]
    return [pair for pair in pairs if pair.share >= least or len(pair.mistakes) >= TELLING]


def _belong_together(left: Work, right: Work, group_of: Mapping[str, str]) -> bool:
    """Tell whether two works are of one group, or of one person, in this year or in two."""
    if {tuple(folded_name(name)) for name in left.who} & {tuple(folded_name(name)) for name in right.who}:
        return bool(left.year or right.year)  # two of one name in one class are two people
    groups = {group_of.get(name, "") for name in left.who} & {group_of.get(name, "") for name in right.who}
    return bool(groups - {""}) and not left.year and not right.year


def _say_not_compared(work: Work, why: str) -> None:
    _say_left_out(work.label, work.week, why)


def _say_left_out(student: str, week: str, why: str) -> None:
    # Whoever is not compared is named, since hiding a copy may be the point of a work that cannot be read.
    print(terminal(f"not compared: {student}, {week}: {why}"), file=sys.stderr)


def _all_works(classes: Classes) -> dict[str, list[Work]]:
    """Return the works of the class by week, and behind them those of earlier years."""
    found = works_by_week(classes.candidates)
    for year, candidates in classes.earlier.items():
        for week, works in works_by_week(candidates, year).items():
            if week in found:
                found[week] += works
    return found


def works_by_week(candidates: Sequence[Candidate], year: str = "") -> dict[str, list[Work]]:
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
        names = (*(works[key].names if key in works else ()), submission.student)
        works[key] = Work(", ".join(names), submission.week, text_of(submission.files), names, year)
    return {week: list(works.values()) for week, works in found.items()}


def handout(assignment: Assignment) -> str:
    """Return the text that every student of a week got: the skeletons, and the public checks and probes."""
    return text_of({file.name: file.read_bytes() for file in assignment.folder.glob("*.py")})
