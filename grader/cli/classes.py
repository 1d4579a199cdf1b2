"""Declares the options that name a class. What reads classes needs POSIX, and students' commands do without it."""

from __future__ import annotations

import click

from grader.cli.options import PATH, Decorated
from grader.intake.layouts import LAYOUTS


def class_options(function: Decorated) -> Decorated:
    """Add what names a class: the folder of its submissions, the weeks, the roster and the layout."""
    for option in (
        click.option("--layout", type=click.Choice(LAYOUTS), help="How SUBMISSIONS is laid out (default: detected)."),
        click.option(
            "--roster",
            type=PATH,
            metavar="FILE",
            help="CSV: id, name, email, group, extensions, submitted …, or what Canvas, Moodle or Gradescope export.",
        ),
        click.option(
            "--week", "weeks", multiple=True, metavar="WEEK...", help="One or more (default: every week that is there)."
        ),
        click.argument("submissions", type=PATH),
    ):
        function = option(function)
    return function
