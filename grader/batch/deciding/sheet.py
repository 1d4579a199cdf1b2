"""Writes decisions as a table that people edit in a spreadsheet, and as a log that they read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from grader.batch.deciding.teams import Teams
from grader.batch.deciding.words import written
from grader.course import week_order
from grader.escape import csv_cell, terminal
from grader.gradebook import Gradebook
from grader.people.person import Person
from grader.reports.words import counted
from grader.results import WEEK, Kind, ManualPart, Override, Report, task_order

COLUMNS = ("student", "id", "email", "group", "week", "task", "points", "of", "why", "who", "at", "alone")
Line = tuple[str, str, str, str, str, str, str, str, str]  # student, week, task, points, of, why, who, at, alone


def sheet_text(book: Gradebook, week: str | None = None) -> str:
    """Return the table: a line for each decision that holds, and one to fill in for what waits for a person.

    It begins with a byte order mark, as spreadsheets know UTF-8 by that, and a task is written `Task 5.10`, which none
    of them takes for a number.
    """
    people = {person.name: person for person in book.people()}
    lines = [*_decided(book), *_open(book)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for student, *rest in sorted(lines, key=lambda line: (week_order(line[1]), line[0], _task_key(line[2]), line[3])):
        person = people.get(student) or Person(student)
        if week in (None, rest[0]):
            writer.writerow(map(csv_cell, (student, person.id, person.email, person.group, *rest)))
    return "\ufeff" + out.getvalue()


def log_lines(decisions: Sequence[Override]) -> Iterator[str]:
    """Yield a line for each decision that was ever made, the oldest first, and say which of them hold no longer."""
    last = {(one.student, one.week, *one.slot): number for number, one in enumerate(decisions)}
    for number, one in enumerate(decisions):
        stands = "" if last[one.student, one.week, *one.slot] == number else " [no longer holds]"
        said = "taken back" if one.points is None else written(one.points, one.kind, one.items, one.most)
        points = f" ({counted(one.points or 0, 'point')})" if one.items else ""
        why = f": {one.why}" if one.why else ""
        yield terminal(f"{one.at} {one.who}: {one.student} {one.week} {one.task} {said}{points}{why}{stands}")


def _decided(book: Gradebook) -> Iterator[Line]:
    teams, decisions = Teams(book), book.decisions()
    people = {person.name: person for person in teams.people}
    scales = {(report.student, report.week): report for report in book.current()}
    for (student, week), own in decisions.items():
        if student not in people or week in people[student].gone:
            continue
        mates = [decisions.get((mate.name, week), []) for mate in teams.mates(people[student], week)]
        for one in own:
            alone = one.kind is not Kind.EXCUSED and not all(_has(theirs, one) for theirs in mates)
            points = written(one.points, one.kind, one.items, one.most)
            most = _most(scales.get((student, week)), one.task) if one.kind is Kind.POINTS else ""
            yield student, week, _task(one.task), points, most, one.why, one.who, one.at, "yes" if alone else ""


def _has(theirs: Iterable[Override], one: Override) -> bool:
    return any(
        (other.slot, other.kind, other.points, other.items, other.why)
        == (one.slot, one.kind, one.points, one.items, one.why)
        for other in theirs
    )


def _open(book: Gradebook) -> Iterator[Line]:
    parts = book.manual_parts()
    for report in book.current():
        if report.excused or WEEK in report.settled:
            continue
        for part in parts.get(report.week, ()) if not report.by_hand else ():
            if any(own.name == part.name and own.points is None for own in report.manual):
                yield report.student, report.week, part.name, "", str(part.max_points), "", "", "", ""
    for problem in book.problems():
        if problem.week:
            yield problem.student, problem.week, WEEK, "", "", "", "", "", ""


def _most(report: Report | None, task: str) -> str:
    if report is None:
        return ""
    known: Mapping[str, float] = {score.task: score.max_points for score in report.tasks()} | _points(report.manual)
    return str(known.get(task, report.max_score))


def _points(parts: Iterable[ManualPart]) -> dict[str, float]:
    return {part.name: part.max_points for part in parts}


def _task(task: str) -> str:
    return f"Task {task}" if task[:1].isdigit() else task


def _task_key(task: str) -> tuple[bool, tuple[int, ...], str]:
    return not task.startswith("Task "), task_order(task.removeprefix("Task ")), task
