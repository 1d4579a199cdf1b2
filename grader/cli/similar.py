"""The command `similar`: which submissions of a class are suspiciously alike."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from grader.cli.options import Add, class_options

if TYPE_CHECKING:
    from grader.course import Assignment
    from grader.intake import Candidate
    from grader.similarity.compare import Pair, Work
from grader.similarity.pages import MOST, write_pages


def add_commands(add: Add) -> None:
    """Tell the command line of the command below."""
    similar = add(
        "similar",
        run_similar,
        "list pairs of submissions that are suspiciously alike",
        "python -m grader similar submissions/ --week week5 --out similar",
    )
    class_options(similar)
    similar.add_argument("--out", type=Path, default=Path("similar"), help="for the pages (default: %(default)s)")
    similar.add_argument(
        "--least", type=_percent, default=50, metavar="PERCENT", help="how much must be alike (default: %(default)s)"
    )


def _percent(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 100, not {text!r}")
    return int(text)


def run_similar(arguments: argparse.Namespace) -> int:
    """Compare every two submissions of a week; print the pairs, and write a page for each. No code is run."""
    from grader.batch.run import BatchOptions, find_class
    from grader.cli.console import make_console, print_pairs
    from grader.course import find_course
    from grader.similarity.compare import similar_pairs

    course = find_course(None)
    options = BatchOptions(
        arguments.submissions, arguments.out, arguments.week, layout=arguments.layout, roster=arguments.roster
    )
    found, _ = find_class(course, options)
    pairs: list[Pair] = []
    for week, works in _by_week(found.candidates).items():
        pairs += similar_pairs(works, _given(course.assignment(week)), arguments.least / 100)
    pairs = sorted(pairs, key=lambda pair: -pair.share)[:MOST]
    write_pages(pairs, arguments.out)
    print_pairs(pairs, make_console())
    print(f"open {arguments.out / 'index.html'}")
    return 0


def _by_week(candidates: Sequence[Candidate]) -> dict[str, list[Work]]:
    """What can be read, by week; work that a group shares is one, under all its names."""
    from grader.errors import SubmissionError
    from grader.intake import load
    from grader.similarity.compare import Work, text_of

    found: dict[str, dict[tuple[object, ...], Work]] = {}
    for candidate in candidates:
        try:
            submission = load(candidate)
        except SubmissionError:
            continue  # `batch` says why
        works = found.setdefault(submission.week, {})
        key = (candidate.path, *candidate.parts)  # entries at one path are one: a group's work, which each member has
        others = f"{works[key].student}, " if key in works else ""
        works[key] = Work(f"{others}{submission.student}", submission.week, text_of(submission.files))
    return {week: list(works.values()) for week, works in found.items()}


def _given(assignment: Assignment) -> str:
    """What every student of a week got: the skeletons, and the public checks and probes."""
    from grader.similarity.compare import text_of

    return text_of({file.name: file.read_bytes() for file in assignment.folder.glob("*.py")})
