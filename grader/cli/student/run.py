"""Runs the command `run`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.choices import HAS_JUDGES, NO_JUDGES
from grader.cli.console import make_console, speak_of, students_course
from grader.cli.options import PATH, command, course_option, device_option, language_option, sandbox_option, seed_option
from grader.course import Assignment
from grader.errors import UsageError
from grader.escape import terminal
from grader.language import retold, tr
from grader.reports.terminal import print_score
from grader.results import Report


@command("run week5 --submission ~/lenet-homework")
@click.argument("week")
@click.option("--submission", type=PATH, metavar="PATH", help="What to grade (default: assignments/WEEK).")
@seed_option
@sandbox_option
@device_option
@language_option
@course_option
def run(week: str, submission: Path | None, seed: int, sandbox: str, device: str) -> int:
    """Grade one submission and print its score by task."""
    course = students_course()
    assignment = course.assignment(week)
    if not HAS_JUDGES:
        return _without_sandbox(assignment, submission, sandbox)
    from grader.cli.single import grade_here  # noqa: PLC0415 - it needs Linux

    return grade_here(course, assignment, submission, seed, sandbox, device)


def _without_sandbox(assignment: Assignment, submission: Path | None, sandbox: str) -> int:
    if sandbox == "bwrap":
        raise UsageError("--sandbox bwrap: bubblewrap is for Linux alone")
    from grader.intake import load_folder, refuse_class  # noqa: PLC0415 - starts no sooner than it is needed
    from grader.version import VERSION  # noqa: PLC0415 - digests the sources
    from grader.watching.once import check_once  # noqa: PLC0415 - as above

    if submission is not None:
        refuse_class(submission, assignment)
    work = load_folder(submission or assignment.folder, assignment)
    print("grader: " + retold(NO_JUDGES), file=sys.stderr)
    for note in work.notes:
        print(terminal(f"{tr('note')}: {retold(note)}"))
    checks = tuple(check_once(assignment, work.files))
    speak_of(assignment)
    print_score(Report("", assignment.week, 0, VERSION, "", "", checks), make_console())
    return 1 if any(check.is_broken for check in checks) else 0
