"""Commands on a gradebook that is there already: override a task's points, and compare two runs."""

from __future__ import annotations

import argparse
import difflib
import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from grader.cli.options import Add
from grader.errors import UsageError
from grader.escape import terminal
from grader.gradebook import open_book
from grader.gradebook.changes import changes

if TYPE_CHECKING:
    from grader.results import Report

BACK = "back"  # instead of points: give the task back to the checks


def add_commands(add: Add) -> None:
    """Tell the command line of the commands below."""
    override = add(
        "override",
        run_override,
        "score a task by hand; it holds when the week is graded again",
        "python -m grader override ana week5 5.3 4 --why discussed",
    )
    override.add_argument("student", help="as in grades.csv")
    override.add_argument("week")
    override.add_argument("task")
    override.add_argument("points", help=f"the task's points from now on, or `{BACK}` to give it back to the checks")
    override.add_argument("--why", required=True, help="the reason, which the student reads")
    override.add_argument("--who", help="who decides (default: the name of your account)")
    _out_option(override)
    diff = add(
        "diff",
        run_diff,
        "say whose grade changed, and by which checks",
        "python -m grader diff --against reports-of-monday",
    )
    diff.add_argument("--against", type=Path, metavar="DIR", help="an earlier run's folder (default: earlier attempts)")
    _out_option(diff)


def _out_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, default=Path("reports"), help="where `batch` wrote the gradebook (default: %(default)s)"
    )


def run_override(arguments: argparse.Namespace) -> int:
    """Note a person's score for a task, and write the student's report and the class page anew."""
    from grader.batch.run import report_folder, write_class
    from grader.reports.pages import outdate, write_report
    from grader.results import Override

    why = arguments.why.strip()
    if not why:
        raise UsageError("--why: give a reason; the student reads it")
    with open_book(arguments.out) as book:
        before = _report_of(book.current(), arguments.student, arguments.week)
        points = _points(arguments.points, before, arguments.task)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        who = (arguments.who or getpass.getuser()).strip()
        folder = report_folder(arguments.out, before)
        outdate(folder)
        book.override(Override(before.student, before.week, arguments.task, points, why, who, now))
        after = book.adjusted(before)
        write_report(after, folder)
        write_class(book, arguments.out)
    print(terminal(f"{after.student} {after.week}: {before.score} → {after.score} of {after.max_score}"))
    return 0


def _report_of(reports: Sequence[Report], student: str, week: str) -> Report:
    found = [report for report in reports if report.student == student]
    if not found:
        close = difflib.get_close_matches(student, {report.student for report in reports}, n=3, cutoff=0.4)
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise UsageError(terminal(f"the gradebook has no student {student!r}{hint}"))
    for report in found:
        if report.week == week:
            return report
    weeks = ", ".join(report.week for report in found)
    raise UsageError(terminal(f"{student} has no result for {week!r}; there is: {weeks}"))


def _points(text: str, report: Report, task: str) -> int | None:
    scores = {score.task: score for score in report.tasks()}
    if task not in scores:
        raise UsageError(f"{report.week} has no task {terminal(task)!r}; its tasks: {', '.join(scores)}")
    if text == BACK:
        return None
    most = scores[task].max_points
    if not text.isdecimal() or int(text) > most:
        raise UsageError(f"points for task {task}: a whole number from 0 to {most}, or `{BACK}`; not {text!r}")
    return int(text)


def run_diff(arguments: argparse.Namespace) -> int:
    """Print whose grade changed between two runs."""
    with open_book(arguments.out) as book:
        after = book.current()
        # Under what adjusts the current attempt, too, so that the two differ by their checks alone.
        histories = [] if arguments.against else [book.history(report.student, report.week) for report in after]
        before = [book.adjusted(old) for history in histories for old in history[-2:-1]]
    if arguments.against:
        with open_book(arguments.against) as book:
            before = book.current()
    lines = list(changes(before, after, both=arguments.against is not None))
    for line in lines:
        print(terminal(line) if not line.startswith("  ") else f"  {terminal(line)}")
    if not lines:
        print("no grade has changed")
    return 0
