"""Runs the command `similar`: lists submissions of a class that are suspiciously alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from grader.batch.run import BatchOptions, find_class
from grader.batch.who import Members
from grader.cli.classes import class_options
from grader.cli.console import make_console, print_clusters, the_course
from grader.cli.options import PATH, command, course_option, out_option
from grader.course import Course
from grader.errors import UsageError
from grader.gradebook.store import copied_book
from grader.intake import Candidate
from grader.similarity.mistakes import Mistakes
from grader.similarity.pages import write_pages
from grader.similarity.works import Classes, compare_classes


@command("similar submissions/ --week week5 --earlier last-year/submissions --out similar")
@class_options
@out_option("similar", "Where to write the pages.")
@click.option("--least", type=click.IntRange(1, 100), default=50, metavar="PERCENT", help="How much must be alike.")
@click.option("--earlier", type=PATH, multiple=True, metavar="DIR...", help="Class folders of earlier years.")
@click.option(
    "--reports", type=PATH, metavar="DIR", help="Where `batch` wrote: same rare mistakes count (default: reports)."
)
@course_option
def similar(
    submissions: Path, weeks: tuple[str, ...], roster: Path | None, layout: str | None, out: Path, least: int,
    earlier: tuple[Path, ...], reports: Path | None,
) -> int:  # fmt: skip
    """List submissions that are suspiciously alike, in clusters.

    SUBMISSIONS is what `batch` takes. A page shows the two sides of each pair.
    Works of one group are expected to be alike, and left aside. No code is run.
    """
    course = the_course()
    if reports is not None and not (reports / "gradebook.sqlite").is_file():
        raise UsageError(
            f"--reports: there is no gradebook.sqlite in {reports}; give the folder that `batch --out` wrote"
        )
    with copied_book(reports or Path("reports")) as book:
        options = BatchOptions(submissions, out, weeks, layout=layout, roster=roster)
        _, members = find_class(course, options, book=book)
        mistakes = Mistakes(book.current() if book else ())
    classes = Classes(members.candidates, _groups(members), _earlier(course, earlier, weeks, layout), mistakes)
    found = compare_classes(course, classes, least / 100)
    write_pages(found, out)
    print_clusters(found, make_console())
    print(f"open {out / 'index.html'}")
    return 0


def _groups(members: Members) -> dict[str, str]:
    """Return each student's group, as the gradebook knows it or the roster says."""
    known = {person.name: person.group for person in members.people if person.group}
    return known | {name: group for group, names in members.roster.groups().items() for name in names}


def _earlier(
    course: Course, folders: Sequence[Path], weeks: tuple[str, ...], layout: str | None
) -> dict[str, tuple[Candidate, ...]]:
    """Find the works of earlier years, by the names that tell their folders apart."""
    found: dict[str, tuple[Candidate, ...]] = {}
    for folder in folders:
        _, members = find_class(course, BatchOptions(folder, folder, weeks, layout=layout))
        name = next(name for name in (folder.resolve().name, str(folder), f"{folder} again") if name not in found)
        found[name] = members.candidates
    return found
