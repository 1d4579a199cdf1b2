"""Grades one submission: for `run` at the desk, and by the command `ci` in a job of a CI host."""

from __future__ import annotations

import os
from pathlib import Path

import click

from grader.batch.seeds import drawn_seed
from grader.batch.single import grade_ci_job, grade_submission
from grader.cli.console import make_console, make_sandbox, trusted_course, warn_unconfined
from grader.cli.options import (
    PATH,
    command,
    course_option,
    device_option,
    drawn_seed_option,
    out_option,
    strict_sandbox_option,
)
from grader.course import Assignment, Course
from grader.errors import TooSmall
from grader.escape import terminal
from grader.exports.ci_job import (
    HOSTS,
    CiJob,
    find_job,
    missing_points,
    quoted,
    refuse_links,
    write_failure,
)
from grader.intake import load_folder, refuse_class
from grader.language import retold, speaking, spoken, tr
from grader.reports.terminal import print_score, trouble_lines
from grader.reports.words import speaking_for
from grader.results import Report
from grader.sandbox.cgroups.room import refuse_small


def grade_here(
    course: Course, assignment: Assignment, submission: Path | None, seed: int, sandbox: str, device: str
) -> int:
    """Grade one submission at the desk, and print its score; return the exit status."""
    if submission is not None:
        refuse_class(submission, assignment)
    work = load_folder(submission or assignment.folder, assignment)
    place = make_sandbox(sandbox, device)
    warn_unconfined(place)
    report = grade_submission(course, work, place, seed, spoken())
    with speaking_for(report):
        _print_report(report)
    return 1 if report.broken else 0


@command("ci week5 --submission checkout")
@click.argument("week")
@click.option(
    "--submission", type=PATH, metavar="PATH", help="What to grade (default: where the host puts it, else this folder)."
)
@click.option("--host", type=click.Choice(HOSTS), help="The CI host (default: detected).")
@out_option("grader-report", "Where to write the report.")
@click.option(
    "--fail-below", type=click.IntRange(0, 100), metavar="PERCENT",
    help="Fail the job with fewer points than that, as 100 does where any is missing; on GitHub and plain hosts.",
)  # fmt: skip
@drawn_seed_option
@strict_sandbox_option
@device_option
@course_option
def ci(
    week: str, submission: Path | None, host: str | None, out: Path, fail_below: int | None, seed: int | None,
    sandbox: str, device: str,
) -> int:  # fmt: skip
    """Grade the submission of a CI job, and write what its host reads."""
    job = find_job(os.environ, host, submission)
    course = trusted_course(job.folder)
    assignment = course.assignment(week)
    out = refuse_links(job, out)  # before the time that grading takes
    seed = drawn_seed() if seed is None else seed
    try:
        refuse_small()
    except TooSmall as error:
        with speaking(course.settings.language):
            write_failure(job, str(error), course.settings.contact)
        raise
    with quoted(job):
        print(f"seed {seed}", flush=True)
        place = make_sandbox(sandbox, device)
        warn_unconfined(place)
        report, written = grade_ci_job(course, assignment, job, place, out, seed)
        with speaking_for(report):
            _print_report(report.for_student())
        for path in written:
            print(f"wrote {path}")
    return _job_status(job, report, fail_below)


def _job_status(job: CiJob, report: Report, fail_below: int | None) -> int:
    """Return the exit status, which shows beside the commit on GitHub; say why where points alone make it fail."""
    # These two hosts take any other status for a failure of grading itself, and drop what was written.
    if job.host in ("classroom50", "gradescope"):
        return 0
    if fail_below is not None and report.score * 100 < fail_below * report.max_score:
        print(missing_points(job, report), flush=True)
        return 1
    return 1 if report.broken else 0


def _print_report(shown: Report) -> None:
    for note in shown.notes:
        print(terminal(f"{tr('note')}: {retold(note)}"))
    print_score(shown, make_console())
    for line in trouble_lines([shown], []):
        print(line)
