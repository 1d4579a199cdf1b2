"""Commands that hand results on: grading in a CI job, exports from a gradebook, bundles for other hosts."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from grader.cli.options import Add
from grader.errors import SubmissionError, UsageError
from grader.escape import terminal
from grader.exports.ci_job import HOSTS

if TYPE_CHECKING:
    from grader.course import Assignment
    from grader.exports.fill import Filled
    from grader.intake import Submission
    from grader.results import Report

WORKSHEETS = ("canvas", "moodle")
FORMATS = ("csv", "json", *WORKSHEETS, "gradescope", "classroom50", "github", "junit")


def add_commands(add: Add) -> None:
    """Tell the command line of the commands below."""
    ci_job = add(
        "ci",
        run_ci,
        "grade the submission of a CI job, and write what its host reads",
        "python -m grader ci week5 --submission checkout",
    )
    ci_job.add_argument("week")
    ci_job.add_argument(
        "--submission", type=Path, metavar="DIR", help="default: where the host puts it, else this folder"
    )
    ci_job.add_argument("--host", choices=HOSTS, help="default: found out")
    ci_job.add_argument("--out", type=Path, default=Path("grader-report"), help="for the report (default: %(default)s)")
    ci_job.add_argument("--seed", type=int, default=0, help="seed of what the checks draw (default: 0)")
    export = add(
        "export",
        run_export,
        "write the gradebook's results in another system's format",
        "python -m grader export reports --to canvas --template canvas.csv --week week5 --write filled.csv",
    )
    export.add_argument("folder", type=Path, nargs="?", default=Path("reports"), help="what `batch --out` wrote")
    export.add_argument("--to", choices=FORMATS, required=True, help="the format")
    export.add_argument(
        "--write", type=Path, required=True, metavar="PATH", help="the file (gradescope, classroom50, github: folder)"
    )
    export.add_argument("--week", help="one week alone (canvas, moodle: needed where there are several)")
    export.add_argument("--template", type=Path, metavar="FILE", help="canvas, moodle: the file that you downloaded")
    export.add_argument("--classroom", metavar="NAME", help="classroom50: the classroom's name")
    export.add_argument("--assignment", metavar="NAME", help="classroom50: the assignment's name (default: the week's)")
    export.add_argument("--column", metavar="NAME", help="canvas, moodle: the column to fill, if not found")


def run_ci(arguments: argparse.Namespace) -> int:
    """Grade what the job is about. Status 0 whenever it was graded; 1 where a check of ours broke."""
    from grader.cli.console import make_console, make_sandbox
    from grader.course import Course
    from grader.exports import ci_job
    from grader.judging.job import job_of
    from grader.judging.pool import grade_alone
    from grader.reports.terminal import print_score, trouble_lines

    # Never the course around the working folder: in a CI job that is the student's checkout.
    course = Course(Path(__file__).resolve().parents[2])
    assignment = course.assignment(arguments.week)
    job = ci_job.find_job(os.environ, arguments.host, arguments.submission)
    sandbox = make_sandbox(arguments.sandbox, arguments.device)
    if not sandbox.confined:
        print(f"grader: {sandbox.says}", file=sys.stderr)
    submission = _submission(job.folder, assignment)
    submission = replace(submission, student=ci_job.student_of(job) or submission.student)
    report = grade_alone(course.root, job_of(submission, arguments.seed), sandbox)
    written = ci_job.write(job, report, arguments.out)
    with ci_job.quoted(job):
        for note in report.for_student().notes:
            print(terminal(f"note: {note}"))
        print_score(report.for_student(), make_console())
        for line in (*trouble_lines([report], []), *(f"wrote {path}" for path in written)):
            print(line)
    # These two take any other status for a failure of grading itself, and drop what was written.
    tolerant = job.host in ("classroom50", "gradescope")
    return 1 if report.broken and not tolerant else 0


def _submission(folder: Path, assignment: Assignment) -> Submission:
    """What is in the folder; where that is nothing, an empty submission, whose report says so."""
    from grader.intake import empty_submission, load_folder

    try:
        return load_folder(folder, assignment)
    except SubmissionError as error:
        return empty_submission(folder, assignment, f"nothing to grade was found: {error}")


def run_export(arguments: argparse.Namespace) -> int:
    """Write an export; whom a worksheet leaves out is said last, a line each."""
    from grader.files import write_atomically
    from grader.gradebook import open_book

    with open_book(arguments.folder) as book:
        reports, problems = book.current(), book.problems()
    if arguments.week:
        reports = [report for report in reports if report.week == arguments.week]
    if not reports:
        raise UsageError(f"{arguments.folder}: there are no results{f' of {arguments.week}' if arguments.week else ''}")
    if arguments.to in WORKSHEETS:
        open_ones = {(problem.student, problem.week) for problem in problems}
        filled = _filled(arguments, reports, open_ones)
        write_atomically(arguments.write, filled.text)
        print(f"wrote {arguments.write}: {filled.count} grades filled in, {len(filled.left_out)} left out")
        for line in filled.left_out:
            print(terminal(f"left out: {line}"))
        return 0
    for path, text in _files(arguments, reports).items():
        write_atomically(arguments.write / path if path else arguments.write, text)
    print(f"wrote {arguments.write}: {len(reports)} results")
    return 0


def _filled(arguments: argparse.Namespace, reports: Sequence[Report], unclear: set[tuple[str, str | None]]) -> Filled:
    from grader.exports import canvas, moodle

    weeks = sorted({report.week for report in reports})
    if len(weeks) > 1:
        raise UsageError(f"--week: say which week to fill in: {', '.join(weeks)}")
    if arguments.template is None:
        raise UsageError(f"--template: give the file that you downloaded from {arguments.to.title()}")
    scores = {
        report.student: None if report.broken or (report.student, report.week) in unclear else report.score
        for report in reports
    }
    most = max(report.max_score for report in reports)
    if arguments.to == "canvas":
        return canvas.filled(arguments.template, weeks[0], scores, most, arguments.column)
    return moodle.filled(arguments.template, scores, most, arguments.column)


def _files(arguments: argparse.Namespace, reports: Sequence[Report]) -> Mapping[str, str]:
    """The text of each file to write, by its path; the empty path is the export itself."""
    from grader.exports import junit, table
    from grader.intake import safe_name

    form = arguments.to
    if form == "csv":
        return {"": table.checks_csv(reports)}
    if form == "json":
        return {"": table.everything_json(reports)}
    if form == "junit":
        return {"": junit.document(reports)}
    name, made = _each(arguments)
    return {
        f"{safe_name(report.student)}/{report.week}/{name}": json.dumps(made(report), indent=2) + "\n"
        for report in reports
    }


def _each(arguments: argparse.Namespace) -> tuple[str, Callable[[Report], object]]:
    """The name of the file that each report gets, and what makes its content."""
    from grader.exports import classroom50, github, gradescope

    if arguments.to == "gradescope":
        return "results.json", gradescope.results
    if arguments.to == "github":
        return "runners.json", github.runners
    if not arguments.classroom:
        raise UsageError("--classroom: give the classroom's name in Classroom 50")
    now = datetime.now(UTC)
    return "result.json", lambda report: classroom50.manual(
        report, arguments.classroom, arguments.assignment or report.week, now
    )
