"""Runs the command `progress`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from grader import history
from grader.cli.console import chosen_weeks, make_console, students_course
from grader.cli.options import command, course_option, language_option
from grader.course import Assignment, Course
from grader.language import spoken, tr
from grader.reports.terminal import add_row, grid
from grader.reports.words import bar, fraction, points_of
from grader.results import task_order


@command("progress week5")
@click.argument("weeks", nargs=-1, metavar="[WEEK]...")
@click.option("--off", is_flag=True, help="Keep no history from now on, and remove what was kept.")
@click.option("--on", is_flag=True, help="Keep one again.")
@language_option
@course_option
def progress(weeks: tuple[str, ...], off: bool, on: bool) -> int:
    """Show when which task passed on this computer, and the time to the deadline.

    Each run of a week's checks notes what has changed, in the course's folder `.grader` and nowhere else.
    """
    course = students_course()
    if off or on:
        history.switch(course.root, on)
        print(tr("From now on a history is kept." if on else "No history is kept, and what there was is removed."))
        return 0
    for number, week in enumerate(chosen_weeks(course, weeks)):
        _print_week(course, course.assignment(week), blank=number > 0)
    if not history.is_on(course.root):
        print(f"\n{tr('No history is kept (`progress --on` begins one).')}")
    return 0


def _print_week(course: Course, assignment: Assignment, blank: bool) -> None:
    console = make_console()
    steps = [step for step in history.read(course.root) if step.week == assignment.week]
    known = history.latest(steps)
    points, most = sum(s.points for s in known.values()), sum(s.max_points for s in known.values())
    score = points_of(points, most) if known else tr("no run yet")
    console.print(f"{chr(10) if blank else ''}{assignment.week}: {score}{_deadline(assignment.due)}", highlight=False)
    table = grid("left", "right", "left", "left")
    for step in sorted(known.values(), key=lambda step: task_order(step.task)):
        done = step.points == step.max_points
        day = f"{step.at.astimezone():%d %b %H:%M}" if spoken() == "en" else f"{step.at.astimezone():%d.%m. %H:%M}"
        so_far = tr("this many points since {day}", day=day) if step.points else tr("no points yet")
        says = (tr("done since {day}", day=day), "green") if done else so_far
        add_row(table, step.task, fraction(step.points, step.max_points), bar(step.points, step.max_points), says)
    if known:
        console.print(table)


def _deadline(due: datetime | None, now: datetime | None = None) -> str:
    if due is None:
        return ""
    left = due - (now or datetime.now(UTC))
    hours = round(abs(left).total_seconds() / 3600)
    if hours >= 48:
        time = tr("{days} days", days=round(hours / 24))
    else:
        time = tr("1 hour" if hours == 1 else "{hours} hours", hours=hours)
    ahead = left.total_seconds() >= 0
    return f"; {tr('{time} to the deadline' if ahead else 'the deadline was {time} ago', time=time)}"
