"""Runs the command `similar`: lists submissions of a class that are suspiciously alike."""

from __future__ import annotations

from pathlib import Path

import click

from grader.batch.run import BatchOptions, find_class
from grader.cli.console import make_console, print_pairs, the_course
from grader.cli.options import class_options, command, out_option
from grader.similarity.pages import write_pages
from grader.similarity.works import pairs_in_class


@command("similar submissions/ --week week5 --out similar")
@class_options
@out_option("similar", "Where to write the pages.")
@click.option("--least", type=click.IntRange(1, 100), default=50, metavar="PERCENT", help="How much must be alike.")
def similar(
    submissions: Path, weeks: tuple[str, ...], roster: Path | None, layout: str | None, out: Path, least: int
) -> int:
    """List pairs of submissions that are suspiciously alike.

    SUBMISSIONS is a folder with one entry for each student. A page shows the two sides of each pair.
    No code is run.
    """
    course = the_course()
    _, members = find_class(course, BatchOptions(submissions, out, weeks, layout=layout, roster=roster))
    pairs = pairs_in_class(course, members.candidates, least / 100)
    write_pages(pairs, out)
    print_pairs(pairs, make_console())
    print(f"open {out / 'index.html'}")
    return 0
