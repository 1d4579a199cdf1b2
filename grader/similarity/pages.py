"""`python -m grader similar`: which submissions of a class are suspiciously alike, with both sides to look at."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from grader.escape import plain
from grader.options import Add, class_options

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.intake import Candidate
    from grader.similarity import Pair, Span, Work

MOST = 200  # pairs; whoever has more has another problem


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
    from grader.assignment import find_course
    from grader.batch import BatchOptions, find_class
    from grader.cli import make_console
    from grader.similarity import similar_pairs
    from grader.tables import print_pairs

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
    from grader.similarity import Work, text_of

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
    from grader.similarity import text_of

    return text_of({file.name: file.read_bytes() for file in assignment.folder.glob("*.py")})


def write_pages(pairs: Sequence[Pair], out: Path) -> None:
    """Write index.html with all pairs, and pair-1.html and so on with both sides."""
    from grader.reports import render_page, write_atomically

    for number, pair in enumerate(pairs, 1):
        sides = [
            {"work": pair.left, "share": pair.share_left, "text": marked(pair.left.text, pair.spans_left)},
            {"work": pair.right, "share": pair.share_right, "text": marked(pair.right.text, pair.spans_right)},
        ]
        write_atomically(out / f"pair-{number}.html", render_page("pair.html.j2", sides=sides))
    write_atomically(out / "index.html", render_page("similar.html.j2", pairs=pairs))


def marked(text: str, spans: Sequence[Span]) -> Markup:
    """The text with what stands in the other one too marked, a line at a time, safe to put into a page."""
    return Markup("").join(_pieces(text, spans))


def _pieces(text: str, spans: Sequence[Span]) -> Iterator[Markup]:
    at = 0
    for start, end in sorted(spans):
        start, end = max(at, start), min(end, len(text))
        if start < end:
            yield escape(plain(text[at:start]))
            yield Markup("<mark>{}</mark>").format(plain(text[start:end]))
            at = end
    yield escape(plain(text[at:]))
