"""Scores a task by hand: the gradebook notes who decided what and why, and the student's report says so."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path

from grader.batch.pages import report_folder, write_class
from grader.errors import UsageError
from grader.escape import terminal
from grader.gradebook import Gradebook, open_book
from grader.people.resolve import find_person
from grader.reports.pages import outdate, write_report
from grader.results import Override, Report

BACK = "back"  # instead of points: give the task back to the checks


def override_task(
    out: Path, student: str, week: str, task: str, points: str, why: str, who: str | None = None
) -> tuple[Report, Report]:
    """Note a person's score for a task, and write the pages that show it; return the report before and after.

    `points` is a whole number, or `BACK`. `UsageError` where the gradebook has no such student, week or task.
    """
    if not why.strip():
        raise UsageError("--why: give a reason; the student reads it")
    with open_book(out) as book:
        before = _report_of(book, student, week)
        score = _points(points, before, task)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        folder = report_folder(book, out, before.student, before.week)
        outdate(folder)
        book.override(
            Override(before.student, before.week, task, score, why.strip(), (who or getpass.getuser()).strip(), now)
        )
        after = book.adjusted(before)
        write_report(after, folder)
        write_class(book, out)
    return before, after


def _report_of(book: Gradebook, student: str, week: str) -> Report:
    person = find_person(book.people(), student)
    found = [report for report in book.current() if report.student == person.name]
    for report in found:
        if report.week == week:
            return report
    weeks = ", ".join(report.week for report in found) or "none"
    gone = "" if week not in person.gone else ", since the class folder no longer holds the entry"
    raise UsageError(terminal(f"{person.name} has no result for {week!r}{gone}; there is: {weeks}"))


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
