"""Commands on a gradebook that is there already: override a task's points, and compare two runs."""

from __future__ import annotations

import argparse
import difflib
import getpass
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import UsageError
from grader.escape import terminal
from grader.options import Add

if TYPE_CHECKING:
    from grader.gradebook import Gradebook
    from grader.results import CheckResult, Report

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


def open_book(folder: Path) -> Gradebook:
    """The gradebook that `batch` left in a folder; `UsageError` where there is none."""
    from grader.gradebook import Gradebook

    file = folder / "gradebook.sqlite" if folder.is_dir() else folder
    if not file.is_file():
        raise UsageError(f"{folder}: there is no gradebook.sqlite; give the folder that `batch --out` wrote")
    return Gradebook(file)


def run_override(arguments: argparse.Namespace) -> int:
    """Note a person's score for a task, and write the student's report and the class page anew."""
    from grader.adjustments import Override
    from grader.batch import report_folder, write_class
    from grader.reports import outdate, write_report

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


def changes(before: Sequence[Report], after: Sequence[Report], both: bool = True) -> Iterator[str]:
    """A line for each student's week whose grade changed, and an indented one for each reason.

    With `both`, a week that only one of the two runs has is a change as well.
    """
    old = {(report.student, report.week): report for report in before}
    new = {(report.student, report.week): report for report in after}
    for key in sorted({*old, *new}):
        name = " ".join(key)
        if key in old and key in new:
            yield from _change(name, old[key], new[key])
        elif both:
            one = new.get(key) or old[key]
            yield f"{name}: {'only in the later run' if key in new else 'only in the earlier run'} ({one.score})"


def _change(name: str, old: Report, new: Report) -> Iterator[str]:
    checks = list(_changed_checks(old, new))
    lines = [line for line in _adjustments(new) if line not in _adjustments(old)]
    gone = [line for line in _adjustments(old) if line not in _adjustments(new)]
    if old.score == new.score and not checks:
        return
    work = "the same work" if old.submission == new.submission else "new work"
    what = work if old.assignment == new.assignment else f"{work}, changed checks"
    yield f"{name}: {old.score} → {new.score} ({what})"
    yield from (f"  {line}" for line in checks)
    yield from (f"  + {line}" for line in lines)
    yield from (f"  - {line}" for line in gone)


def _changed_checks(old: Report, new: Report) -> Iterator[str]:
    was = {check.id: check for check in old.checks}
    now = {check.id: check for check in new.checks}
    for id in dict.fromkeys([*now, *was]):
        left, right = was.get(id), now.get(id)
        if left and right and (left.points, left.max_points) == (right.points, right.max_points):
            continue
        one = right or left
        assert one is not None
        yield f"{one.task} {one.title}: {_state(left)} → {_state(right)}"


def _state(check: CheckResult | None) -> str:
    return f"{check.outcome} {check.points}/{check.max_points}" if check else "no such check"


def _adjustments(report: Report) -> list[str]:
    return [f"{line.what}: {line.points:+d}" for line in report.adjustments]
