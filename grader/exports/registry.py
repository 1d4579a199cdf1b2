"""Writes a gradebook's results in another system's format; a new format is added here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import UsageError
from grader.exports import canvas, classroom50, github, gradescope, junit, moodle, table
from grader.exports.fill import Filled
from grader.files import write_atomically
from grader.gradebook import Problem, open_book
from grader.people.naming import safe_name
from grader.people.person import Person
from grader.results import Report

WORKSHEETS = ("canvas", "moodle")  # formats that fill one column of a file that was downloaded
People = Mapping[str, Person]  # by the name that reports have
FORMATS = ("csv", "json", *WORKSHEETS, "gradescope", "classroom50", "github", "junit")


@dataclass(frozen=True)
class Wanted:
    """A request for an export: the format, where to, and what only some formats ask for."""

    form: str
    target: Path
    week: str | None = None
    template: Path | None = None  # worksheets: the file that was downloaded
    column: str | None = None  # worksheets: the column to fill, if it is not found
    classroom: str | None = None  # classroom50
    assignment: str | None = None  # classroom50: by default, the week's name


@dataclass(frozen=True)
class Written:
    """The result of an export: what was written, in words, and who a worksheet left out, each with the reason."""

    what: str
    left_out: Sequence[str] = ()


def export(folder: Path, wanted: Wanted) -> Written:
    """Export the gradebook in `folder`. `UsageError` where there are no results, or the format needs to know more."""
    with open_book(folder) as book:
        reports, problems = book.current(), book.problems()
        people = {person.name: person for person in book.people()}
    if wanted.week:
        reports = [report for report in reports if report.week == wanted.week]
    if not reports:
        raise UsageError(f"{folder}: there are no results{f' of {wanted.week}' if wanted.week else ''}")
    if wanted.form in WORKSHEETS:
        filled = _filled(wanted, reports, problems, people)
        write_atomically(wanted.target, filled.text)
        return Written(f"{filled.count} grades filled in, {len(filled.left_out)} left out", filled.left_out)
    for path, text in _files(wanted, reports, people).items():
        write_atomically(wanted.target / path if path else wanted.target, text)
    return Written(f"{len(reports)} results")


def _filled(wanted: Wanted, reports: Sequence[Report], problems: Sequence[Problem], people: People) -> Filled:
    unclear = {(problem.student, problem.week) for problem in problems}
    weeks = sorted({report.week for report in reports})
    if len(weeks) > 1:
        raise UsageError(f"--week: say which week to fill in: {', '.join(weeks)}")
    if wanted.template is None:
        raise UsageError(f"--template: give the file that you downloaded from {wanted.form.title()}")
    scores = {
        report.student: None if report.broken or (report.student, report.week) in unclear else report.score
        for report in reports
    }
    most = max(report.max_score for report in reports)
    if wanted.form == "canvas":
        return canvas.filled(wanted.template, weeks[0], scores, most, wanted.column, people)
    return moodle.filled(wanted.template, scores, most, wanted.column, people)


def _files(wanted: Wanted, reports: Sequence[Report], people: People) -> Mapping[str, str]:
    """Return the text of each file to write, by its path; the empty path is the export itself."""
    if wanted.form == "csv":
        return {"": table.checks_csv(reports, people)}
    if wanted.form == "json":
        return {"": table.everything_json(reports, people)}
    if wanted.form == "junit":
        return {"": junit.document(reports)}
    name, made = _each(wanted, people)
    return {
        f"{_folder(report, people)}/{report.week}/{name}": json.dumps(made(report), indent=2) + "\n"
        for report in reports
    }


def _folder(report: Report, people: People) -> str:
    return people[report.student].folder if report.student in people else safe_name(report.student)


def _each(wanted: Wanted, people: People) -> tuple[str, Callable[[Report], object]]:
    """Return the name of the file that each report gets, and the function that makes its content."""
    if wanted.form == "gradescope":
        return "results.json", gradescope.results
    if wanted.form == "github":
        return "runners.json", github.runners
    if not wanted.classroom:
        raise UsageError("--classroom: give the classroom's name in Classroom 50")
    classroom, now = wanted.classroom, datetime.now(UTC)

    def made(report: Report) -> object:
        person = people.get(report.student)
        owner = (person and person.login) or report.student
        return classroom50.manual(report, classroom, wanted.assignment or report.week, now, owner)

    return "result.json", made
