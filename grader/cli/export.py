"""Runs the command `export`: writes results in another system's format."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import PATH, command
from grader.escape import terminal
from grader.exports import registry


@command("export reports --to canvas --template canvas.csv --week week5 --write filled.csv")
@click.argument("folder", type=PATH, default=Path("reports"))
@click.option("--to", "form", type=click.Choice(registry.FORMATS), required=True, help="The format.")
@click.option(
    "--write", "target", type=PATH, required=True, metavar="PATH",
    help="The file to write (gradescope, classroom50, github: the folder).",
)  # fmt: skip
@click.option("--week", help="Only this week (canvas, moodle: needed where there are several).")
@click.option("--template", type=PATH, metavar="FILE", help="canvas, moodle: the file that you downloaded.")
@click.option("--classroom", metavar="NAME", help="classroom50: the classroom's name.")
@click.option("--assignment", metavar="NAME", help="classroom50: the assignment's name (default: the week's).")
@click.option("--column", metavar="NAME", help="canvas, moodle: the column to fill, if it is not found.")
def export(
    folder: Path, form: str, target: Path, week: str | None, template: Path | None, classroom: str | None,
    assignment: str | None, column: str | None,
) -> int:  # fmt: skip
    """Write the gradebook's results in another system's format.

    FOLDER is what `batch --out` wrote (default: reports).
    """
    wanted = registry.Wanted(form, target, week, template, column, classroom, assignment)
    written = registry.export(folder, wanted)
    print(f"wrote {target}: {written.what}")
    # Students whom a worksheet leaves out come last, a line each.
    for line in written.left_out:
        print(terminal(f"left out: {line}"))
    return 0
