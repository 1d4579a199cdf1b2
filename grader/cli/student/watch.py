"""Runs the command `watch`."""

from __future__ import annotations

import contextlib
import sys
import webbrowser
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from grader.cli.console import make_console, speak_of, students_course
from grader.cli.options import command, course_option, language_option
from grader.language import tr

if TYPE_CHECKING:
    from grader.watching.screen import Screen, Shown


@command("watch week5 --task 5.3")
@click.argument("week")
@click.option("--task", "tasks", multiple=True, metavar="N.M...", help="One task or more (default: all of the week).")
# macOS has forks as well, but its own libraries do not survive them.
@click.option(
    "--fork/--no-fork",
    default=lambda: sys.platform == "linux",
    show_default=False,
    help="Fork warm processes, or keep spare ones.",
)
@click.option("--open", "opens", is_flag=True, help="Show the report in a browser as well; the page refreshes itself.")
@language_option
@course_option
def watch(week: str, tasks: tuple[str, ...], fork: bool, opens: bool) -> int:
    """Run a week's public checks again on each save.

    Only those run that the change can touch. A process that has imported torch waits, so that an answer comes within
    a second. Ctrl-C ends it.
    """
    from grader.watching.loop import watch as watch_week  # noqa: PLC0415 - imports pytest and more
    from grader.watching.screen import Screen  # noqa: PLC0415 - as above

    course = students_course()
    texts = speak_of(course.part(week))  # a week that is not there is said at once
    hidden = course.settings.hidden if week in course.assignments() else 0
    screen = Screen(make_console(), course.settings.contact, hidden)
    with contextlib.ExitStack() as opened, contextlib.suppress(KeyboardInterrupt):
        show = _browser(week, course.settings.contact, texts, screen, opened) if opens else None
        watch_week(course, week, tasks, screen, fork, show)
    return 0


def _browser(
    week: str, contact: str, texts: Mapping[str, str], screen: Screen, opened: contextlib.ExitStack
) -> Callable[[Shown], None]:
    from grader.watching.page import Page  # noqa: PLC0415 - imports what draws pages

    page = Page(week, contact, texts)
    opened.callback(page.close)
    page.show([])
    screen.note(tr("In a browser: {address}", address=page.address))
    webbrowser.open(page.address)
    return lambda shown: page.show(shown.results)
