"""Writes a gradebook's results in another system's format; a new format is added here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from grader.errors import UsageError
from grader.exports import github, gradescope, junit, scores50, table, teacher
from grader.exports.feedback import sending
from grader.exports.target import put
from grader.exports.worksheets import canvas, moodle, other
from grader.exports.worksheets.fill import Filled
from grader.gradebook import Problem, open_book
from grader.people.naming import safe_name
from grader.people.person import Person
from grader.reports.figures import class_rows
from grader.reports.words import counted
from grader.results import Report

WORKSHEETS = ("canvas", "moodle", "table")  # formats that fill one column of a file that was downloaded
_SCORED = ("gradescope", "github")  # formats in which each student has a score
People = Mapping[str, Person]  # by the name that reports have
FEEDBACK = "feedback"  # what students get, by the way that the work came
MOST_REASONS = 3  # why nobody gets anything
TEACHER = "teacher"  # pages for teachers
FORMATS = (FEEDBACK, TEACHER, *WORKSHEETS, "csv", "json", "gradescope", "classroom50", "github", "junit")


@dataclass(frozen=True)
class Wanted:
    """A request for an export: the format, where to, and what only some formats ask for."""

    form: str
    target: Path
    week: str | None = None
    template: Path | None = None  # the file that was downloaded, or the one to bring up to date
    column: str | None = None  # worksheets: the column to fill, if it is not found
    classroom: str | None = None  # classroom50
    assignment: str | None = None  # classroom50: by default, the week's name
    way: str | None = None  # feedback: by default, the one by which the work came
    overwrite: bool = False  # replace grades, comments and files that are there


@dataclass(frozen=True)
class Written:
    """The result of an export: what was written, in words, who was left out, and whose grade was replaced.

    `next` says what to do with it, `rounded` whose points the platform takes as whole ones alone, and `said` what was
    guessed about a worksheet's text.
    """

    what: str
    left_out: Sequence[str] = ()
    replaced: Sequence[str] = ()
    next: str = ""
    rounded: Sequence[str] = ()
    said: Sequence[str] = ()


def export(folder: Path, wanted: Wanted) -> Written:
    """Export the gradebook in `folder`. `UsageError` where there are no results, or the format needs to know more."""
    if wanted.form == FEEDBACK:
        return _feedback(folder, wanted)
    if wanted.form == TEACHER:
        made = teacher.pages(folder, wanted.week)
        put(wanted.target, made, overwrite=True)
        return Written(f"{len(made) - 1} pages", next=f"open {wanted.target / 'index.html'}; it is not for students")
    with open_book(folder) as book:
        reports, problems = book.current(), book.problems()
        people = {person.name: person for person in book.people()}
    if wanted.week:
        reports = [report for report in reports if report.week == wanted.week]
    if not reports:
        raise UsageError(f"{folder}: there are no results{f' of {wanted.week}' if wanted.week else ''}")
    if wanted.form in WORKSHEETS:
        filled = _filled(wanted, reports, problems, people)
        filled.left_out += _ungraded(reports, problems, people)
        return _written(wanted, filled, "grades")
    if wanted.form == "classroom50":
        return _scores(wanted, reports, problems, people)
    # These hosts have no word for an excuse, and a score would be entered as one.
    excused = [report.student for report in reports if report.excused and wanted.form in _SCORED]
    reports = [report for report in reports if report.student not in excused]
    put(wanted.target, {path: _raw(text) for path, text in _files(wanted, reports, people).items()}, overwrite=True)
    return Written(counted(len(reports), "result"), [f"{student}: excused" for student in excused])


def _ungraded(reports: Sequence[Report], problems: Sequence[Problem], people: People) -> list[str]:
    """Say for whom there is no result of the week at all, and why: a line each."""
    (week,) = {report.week for report in reports}
    lines = []
    for row in class_rows(reports, problems, people.values()):
        if week in row.reports or week in row.person.gone:
            continue
        why = next((f": {one.message}" for one in row.problems if one.week in (week, None)), "")
        lines.append(f"{row.student}: {row.state(week)}{why}")
    return lines


def _feedback(folder: Path, wanted: Wanted) -> Written:
    parcels = sending.gather(folder, wanted.week)
    way = wanted.way or sending.way_of(parcels)
    made = sending.feedback(parcels, way, wanted.template, wanted.column, wanted.overwrite)
    then = sending.NEXT[way].format(target=wanted.target)
    if isinstance(made, Filled):
        return replace(_written(wanted, made, "comments"), next=then)
    if not parcels.sent:
        reasons = "; ".join(parcels.left_out[-MOST_REASONS:])
        raise UsageError(f"nobody's {parcels.week} can go back as {way}: {reasons}")
    put(wanted.target, made, wanted.overwrite)
    return Written(
        f"{parcels.title}, {counted(parcels.sent, 'report')} as {way} takes them",
        parcels.left_out,
        next=then,
        said=parcels.said,
    )


def _written(wanted: Wanted, filled: Filled, what: str) -> Written:
    raw = filled.text.encode(filled.encoding, "backslashreplace")
    put(wanted.target, {"": raw}, wanted.overwrite or _fills_its_template(wanted))
    more = f", {len(filled.replaced)} of them in place of others" if filled.replaced else ""
    counts = f"{filled.count} {what} filled in{more}, {len(filled.left_out)} left out"
    return Written(counts, filled.left_out, filled.replaced, said=filled.said)


def _scores(wanted: Wanted, reports: Sequence[Report], problems: Sequence[Problem], people: People) -> Written:
    if not wanted.classroom:
        raise UsageError("--classroom: give the classroom's name in Classroom 50")
    unclear = {(problem.student, problem.week) for problem in problems}
    merged = scores50.merged(
        wanted.template, wanted.classroom, _slugs(wanted, reports), reports, people, unclear, datetime.now(UTC)
    )
    put(wanted.target, {"": _raw(merged.text)}, wanted.overwrite or _fills_its_template(wanted))
    return Written(
        counted(merged.count, "score"),
        [*merged.left_out, *(_ungraded(reports, problems, people) if wanted.week else ())],
        merged.replaced,
        f"commit it as {wanted.classroom}/scores.json",
        merged.rounded,
    )


def _fills_its_template(wanted: Wanted) -> bool:
    """Tell whether the file that is brought up to date is the one to write: it has all that it had."""
    return wanted.template is not None and wanted.template.resolve() == wanted.target.resolve()


def _slugs(wanted: Wanted, reports: Sequence[Report]) -> dict[str, str]:
    weeks = sorted({report.week for report in reports})
    if wanted.assignment and len(weeks) > 1:
        raise UsageError(f"--week: say which week {wanted.assignment} is: {', '.join(weeks)}")
    return {week: wanted.assignment or week for week in weeks}


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _filled(wanted: Wanted, reports: Sequence[Report], problems: Sequence[Problem], people: People) -> Filled:
    unclear = {(problem.student, problem.week) for problem in problems}
    weeks = sorted({report.week for report in reports})
    if len(weeks) > 1:
        raise UsageError(f"--week: say which week to fill in: {', '.join(weeks)}")
    if wanted.template is None:
        where = "" if wanted.form == "table" else f" from {wanted.form.title()}"
        raise UsageError(f"--template: give the file that you downloaded{where}")
    scores = {
        report.student: None if (report.student, report.week) in unclear else _score(report, wanted.form)
        for report in reports
    }
    most = max(report.max_score for report in reports)
    if wanted.form == "canvas":
        return canvas.filled(wanted.template, weeks[0], scores, most, wanted.column, people, wanted.overwrite)
    excused = [report.student for report in reports if report.excused]
    kept = {student: score for student, score in scores.items() if student not in excused}
    if wanted.form == "table":
        filled = other.filled(wanted.template, weeks[0], kept, most, wanted.column, people, wanted.overwrite)
    else:
        filled = moodle.filled(wanted.template, kept, most, wanted.column, people, wanted.overwrite)
    no_word = "enter it by hand" if wanted.form == "table" else "Moodle has no word for that"
    filled.left_out += [f"{student}: excused; {no_word}" for student in excused]
    return filled


def _score(report: Report, form: str) -> float | str | None:
    """Return what a worksheet gets: the final score, and for an excused week the word that the platform has for it."""
    return "EX" if report.excused and form == "canvas" else report.final


def _files(wanted: Wanted, reports: Sequence[Report], people: People) -> Mapping[str, str]:
    """Return the text of each file to write, by its path; the empty path is the export itself."""
    if wanted.form == "csv":
        return {"": table.checks_csv(reports, people)}
    if wanted.form == "json":
        return {"": table.everything_json(reports, people)}
    if wanted.form == "junit":
        return {"": junit.document(reports)}
    name, made = (
        ("results.json", gradescope.results) if wanted.form == "gradescope" else ("runners.json", github.runners)
    )
    return {
        f"{_folder(report, people)}/{report.week}/{name}": json.dumps(made(report), indent=2) + "\n"
        for report in reports
    }


def _folder(report: Report, people: People) -> str:
    return people[report.student].folder if report.student in people else safe_name(report.student)
