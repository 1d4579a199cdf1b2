"""Computes a class's figures: its rows and means, and grades.csv.

Every number in grades.csv is final. Where a check of ours crashed, or a week could not be graded, its cell
and the total stay empty, so that nobody enters too low a grade by accident; so, too, while a person has yet to grade
a part. A week that was never handed in stays empty and adds nothing to the total, unless `batch --missing zero` says
that it counts as zero. A column of states says which of these it is.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from grader.course import week_order
from grader.escape import csv_cell
from grader.files import write_atomically
from grader.gradebook import Problem
from grader.gradebook.by_hand import MISSING, NOTHING
from grader.people.matching import doubles, questions
from grader.people.naming import folded
from grader.people.person import Person
from grader.results import Outcome, Report, TaskScore, task_order
from grader.results.points import total

BINS = 10
_WHO = ("student", "id", "email", "section", "group")  # the first columns of grades.csv


class State(StrEnum):
    """What became of a student's week, in the words of grades.csv."""

    GRADED = "graded"
    PROVISIONAL = "provisional"
    NOT_GRADABLE = "not gradable"
    EXCUSED = "excused"
    NOTHING = "nothing handed in"
    UNCLEAR = "not clear whose"


@dataclass(frozen=True)
class Row:
    """One student: the reports by week, what could not be graded, and who it is.

    `unclear` says that an entry of the class folder may be theirs, so that nobody takes them for missing; `is_double`
    that it is such an entry, which may be somebody's of the roster, and so is no student more.
    """

    student: str
    reports: dict[str, Report]
    problems: tuple[Problem, ...]
    person: Person = field(default_factory=lambda: Person(""))
    unclear: bool = False
    is_double: bool = False

    @property
    def section(self) -> str:
        return self.person.section

    @property
    def missing(self) -> bool:
        """Tell whether nothing at all was handed in, as far as anybody knows."""
        handed = [report for report in self.reports.values() if report.by_hand != NOTHING or _decided(report)]
        return not handed and not self.problems and not self.unclear

    def state(self, week: str) -> State:
        """Say what became of a week."""
        report = self.reports.get(week)
        if report and report.excused:
            return State.EXCUSED
        if report and report.by_hand and not _decided(report):
            return State.NOTHING if report.by_hand == NOTHING else State.NOT_GRADABLE
        if any(problem.week == week or (problem.week is None and not report) for problem in self.problems):
            return State.NOT_GRADABLE
        if report:
            return State.PROVISIONAL if report.provisional else State.GRADED
        return State.UNCLEAR if self.unclear else State.NOTHING

    def handed_in(self, week: str, state: State | None = None) -> bool:
        """Tell whether something of a week was handed in: points and excuses are also for who handed in nothing.

        `state` is the week's, where it is known.
        """
        report = self.reports.get(week)
        if report is not None and report.by_hand == NOTHING:
            return False
        return (state or self.state(week)) not in (State.NOTHING, State.UNCLEAR)

    def final(self, week: str) -> float | None:
        """Return the week's score, or None while there is none or it may still change, and where it is excused."""
        report = self.reports.get(week)
        if report is None or any(problem.week == week for problem in self.problems):
            return None
        return report.final

    @property
    def total(self) -> float | None:
        """The sum over the weeks that count, or None while any of them may still change."""
        open_weeks = [week for week, report in self.reports.items() if not report.excused and not _is_nothing(report)]
        scores = [self.final(week) for week in open_weeks]
        known = [score for score in scores if score is not None]
        return total(known) if known and len(known) == len(scores) and not self.problems else None


@dataclass(frozen=True)
class TaskFigures:
    """The results of a class in one task, without broken checks, which nobody could pass."""

    task: str
    done: int
    students: int
    points: int
    max_points: int

    @property
    def share(self) -> float:
        """The points earned, between 0 and 1."""
        return self.points / self.max_points if self.max_points else 1.0


@dataclass(frozen=True)
class WeekFigures:
    """The results of a class in one week. `scores` holds the final ones only, ascending."""

    week: str
    scores: tuple[float, ...]
    max_score: float
    tasks: tuple[TaskFigures, ...]

    @property
    def mean(self) -> float | None:
        return statistics.fmean(self.scores) if self.scores else None

    @property
    def median(self) -> float | None:
        return statistics.median(self.scores) if self.scores else None

    def bins(self) -> list[int]:
        """Count the scores in each tenth of the possible points; full marks belong to the last."""
        counts = [0] * BINS
        for score in self.scores:
            counts[min(BINS - 1, int(score * BINS / max(1, self.max_score)))] += 1
        return counts


def class_rows(reports: Iterable[Report], problems: Iterable[Problem], people: Iterable[Person] = ()) -> list[Row]:
    """Return a row for each student, sorted by name; all on the roster and all with only problems have one, too."""
    known = {person.name: person for person in people}
    asked = questions(list(known.values()))
    unclear = {other.name for _, others in asked for other in others}
    double = {person.name for person in doubles(asked)}
    by_student: dict[str, dict[str, Report]] = {}
    unread: dict[str, list[Problem]] = {}
    for report in reports:
        by_student.setdefault(report.student, {})[report.week] = report
    for problem in problems:
        unread.setdefault(problem.student, []).append(problem)
    listed = {name for name, person in known.items() if person.listed}
    return [
        Row(
            name,
            by_student.get(name, {}),
            tuple(unread.get(name, ())),
            known.get(name) or Person(name),
            name in unclear and name in listed,
            name in double,
        )
        for name in sorted({*by_student, *unread, *listed})
    ]


def headcount(rows: Iterable[Row]) -> int:
    """Count the students: an entry that may be either of two who are there makes no third one."""
    return sum(not row.is_double for row in rows)


@cache
def by_name(student: str) -> tuple[str, str]:
    """Return a sort key that puts `Émile` beside `Emil`, as people look for names."""
    return folded(student), student


def class_weeks(rows: Iterable[Row]) -> list[str]:
    """Return, in order, the weeks in which anybody has a report or a problem."""
    weeks = {week for row in rows for week in row.reports}
    weeks |= {problem.week for row in rows for problem in row.problems if problem.week}
    return sorted(weeks, key=week_order)


def week_figures(rows: Sequence[Row], week: str) -> WeekFigures:
    """Return the figures of one week of a class."""
    reports = [row.reports[week] for row in rows if week in row.reports]
    graded = [row for row in rows if row.state(week) is not State.NOTHING]
    finals = sorted(score for row in graded if (score := row.final(week)) is not None)
    by_task: dict[str, list[TaskScore]] = {}
    for report in reports:
        for task_score in report.tasks() if report.counts else ():
            by_task.setdefault(task_score.task, []).append(task_score)
    ordered = sorted(by_task.items(), key=lambda entry: task_order(entry[0]))
    return WeekFigures(
        week=week,
        scores=tuple(finals),
        max_score=max((report.max_score for report in reports), default=0),
        tasks=tuple(_task_figures(task, scores) for task, scores in ordered),
    )


def write_grades(
    reports: Iterable[Report], problems: Iterable[Problem], path: Path, people: Iterable[Person] = ()
) -> None:
    """Write grades.csv: who, one column a week, total, and what became of each week; UTF-8.

    There is no byte order mark: programs that read the file would take it for a part of the first heading. (In
    Excel, open the file with Data, From Text, so that it asks for the encoding.)
    """
    write_atomically(path, grades_csv(class_rows(reports, problems, people)))


def grades_csv(rows: Sequence[Row]) -> str:
    """Return the table as CSV text, with names that no spreadsheet takes for formulas."""
    weeks = class_weeks(rows)
    return _csv([_header(weeks), *(_line(row, weeks) for row in rows)])


def changed_grades(text: str, rows: Sequence[Row]) -> str | None:
    """Return the table with the lines of these students anew; None where it lacks one of them, or of their weeks.

    A large class takes seconds to go through, and a decision changes the line of one student.
    """
    header, *lines = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    weeks = header[len(_WHO) : header.index("total")] if "total" in header else []
    places = {line[0]: place for place, line in enumerate(lines) if line}
    if [*map(str, _header(weeks))] != header or not {csv_cell(row.student) for row in rows} <= set(places):
        return None
    if not set(class_weeks(rows)) <= set(weeks):
        return None
    for row in rows:
        lines[places[csv_cell(row.student)]] = _line(row, weeks)
    return _csv([header, *lines])


def _header(weeks: Sequence[str]) -> list[str]:
    return [*_WHO, *map(csv_cell, weeks), "total", *(csv_cell(f"{week} state") for week in weeks)]


def _line(row: Row, weeks: Sequence[str]) -> list[Any]:
    who = (row.student, row.person.id, row.person.email, row.section, row.person.group)
    return [*map(csv_cell, who), *map(row.final, weeks), row.total, *map(row.state, weeks)]


def _csv(lines: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()


def _decided(report: Report) -> bool:
    """Tell whether a person has given points to a week that no check has graded, or excused it."""
    kinds = {line.kind for line in report.adjustments}
    given = "override" in kinds or any(part.points is not None for part in report.manual)
    return report.excused != "" or given or (MISSING not in kinds and not report.provisional)


def _is_nothing(report: Report) -> bool:
    """Tell whether a report says no more than that nothing was handed in, which adds nothing to a total."""
    return report.by_hand == NOTHING and report.provisional and not _decided(report)


def _task_figures(task: str, scores: Sequence[TaskScore]) -> TaskFigures:
    checks = [check for score in scores for check in score.checks if not check.is_broken]
    return TaskFigures(
        task=task,
        done=sum(score.outcome is Outcome.PASSED for score in scores),
        students=len(scores),
        points=sum(check.points for check in checks),
        max_points=sum(check.max_points for check in checks),
    )
