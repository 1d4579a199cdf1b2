"""Runs the command `export`: writes results in another system's format, and takes feedback back to students."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from grader.batch.pages import finish_class, write_class_again
from grader.cli.options import PATH, command
from grader.errors import GraderError
from grader.escape import terminal
from grader.exports import registry
from grader.exports.feedback.sending import WAYS
from grader.reports.links import TEACHERS


@command("export reports --to canvas --template canvas.csv --week week5 --write filled.csv")
@click.argument("folder", type=PATH, default=Path("reports"))
@click.option("--to", "form", type=click.Choice(registry.FORMATS), required=True, help="The format.")
@click.option(
    "--write", "target", type=PATH, required=True, metavar="PATH",
    help="The file to write (teacher, gradescope, github, feedback as github or mail: the folder).",
)  # fmt: skip
@click.option(
    "--week", metavar="WEEK", help="Only this week (canvas, moodle, table, feedback: needed where there are several)."
)
@click.option(
    "--as", "way", type=click.Choice(WAYS),
    help="feedback: how it goes back (default: as the class was downloaded; mail where that takes no feedback).",
)  # fmt: skip
@click.option(
    "--template", type=PATH, metavar="FILE",
    help="canvas, moodle, table, moodle-comments: the file that you downloaded; classroom50: the present scores.json.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace grades, comments and files that are there already.")
@click.option("--classroom", metavar="NAME", help="classroom50: the classroom's name.")
@click.option("--assignment", metavar="NAME", help="classroom50: the assignment's name (default: the week's).")
@click.option(
    "--column", metavar="NAME", help="canvas, moodle, table, moodle-comments: the column, if it is not found."
)
def export(
    folder: Path, form: str, target: Path, week: str | None, way: str | None, template: Path | None, overwrite: bool,
    classroom: str | None, assignment: str | None, column: str | None,
) -> int:  # fmt: skip
    """Write results, or what students get back, in another system's format.

    FOLDER is what `batch --out` wrote (default: reports). Without --overwrite, grades that are there already stay.
    """
    wanted = registry.Wanted(form, target, week, template, column, classroom, assignment, way, overwrite)
    written = registry.export(folder, wanted)
    if form == registry.TEACHER and target.resolve() == (folder / TEACHERS).resolve():
        write_class_again(folder)  # the class page links them
    with suppress(GraderError, OSError):  # the page goes on to say what it lacks
        finish_class(folder)
    for line in written.said:
        print(line)
    print(f"wrote {target}: {written.what}")
    if written.next:
        print(written.next)
    for line in written.replaced:
        print(terminal(f"replaced: {line}"))
    for line in written.rounded:
        print(terminal(f"rounded to whole points: {line}"))
    # Students who are left out come last, a line each.
    for line in written.left_out:
        print(terminal(f"left out: {line}"))
    return 0
