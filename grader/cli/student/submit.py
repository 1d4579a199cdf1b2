"""Runs the command `submit-check`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from grader.choices import HAS_JUDGES, NO_JUDGES
from grader.cli.console import make_sandbox, the_course, warn_unconfined
from grader.cli.options import PATH, command, course_option, sandbox_option
from grader.course import Assignment, Course
from grader.escape import terminal
from grader.intake import Submission, load_folder
from grader.intake.collect import LARGEST_SUBMISSION
from grader.intake.handing_in import failures, findings
from grader.reports.words import phrase
from grader.results import Outcome, Report

_CONDITIONS = (Outcome.ERROR, Outcome.TIMEOUT, Outcome.MEMORY, Outcome.KILLED, Outcome.INVALID)


@command("submit-check week5 --submission homework.zip")
@click.argument("week")
@click.option("--submission", type=PATH, metavar="PATH", help="What you will hand in (default: assignments/WEEK).")
@sandbox_option
@course_option
def submit_check(week: str, submission: Path | None, sandbox: str) -> int:
    """Check before handing in that a week's work can be graded.

    Its files, imports, paths and limits count. It is read and run as for the grade, with the public checks. The exit
    code is 1 where something would be lost.
    """
    course = the_course()
    assignment = course.assignment(week)
    work = load_folder(submission or assignment.folder, assignment)
    size = sum(map(len, work.files.values()))
    print(f"{week}: {len(work.files)} files, {size / 1024:.0f} KB (at most {LARGEST_SUBMISSION >> 20} MB)")
    lost = [*_lacking(work, assignment), *work.notes, *findings(work.files, course.settings.libraries)]
    lost += failures(work.files, assignment.modules, course.settings.libraries, week, lost)
    report = _graded(course, work, sandbox) if HAS_JUDGES else _checked(assignment, work)
    lost += _ended(report)
    for line in dict.fromkeys(lost):
        print(terminal(f"look: {line}"))
    for line in _fine(work, assignment, report, lost):
        print(terminal(f"ok:   {line}"))
    public = [check for check in report.checks if not check.hidden]
    print(f"Public checks: {sum(c.points for c in public)} of {sum(c.max_points for c in public)} points.")
    print("Mend what `look` says, and ask again." if lost else f"{week} can be handed in.")
    return 1 if lost else 0


def _graded(course: Course, work: Submission, sandbox: str) -> Report:
    """Run the work as for the grade."""
    from grader.batch.single import grade_submission  # noqa: PLC0415 - it needs Linux

    place = make_sandbox(sandbox, "cpu")
    warn_unconfined(place)
    return grade_submission(course, work, place).for_student()


def _checked(assignment: Assignment, work: Submission) -> Report:
    """Run the work's public checks where there are no judges."""
    from grader.version import VERSION  # noqa: PLC0415 - digests the sources
    from grader.watching.once import check_once  # noqa: PLC0415 - starts no sooner than it is needed

    print(f"grader: {NO_JUDGES}; what it takes of memory is not measured here", file=sys.stderr)
    checks = tuple(check_once(assignment, work.files))
    return Report("", assignment.week, 0, VERSION, "", "", checks)


def _lacking(work: Submission, assignment: Assignment) -> Iterator[str]:
    for module in assignment.modules:
        if f"{module}.py" not in work.files and not any(name.startswith(f"{module}/") for name in work.files):
            yield f"{module}.py is missing: its tasks would get no points"


def _ended(report: Report) -> Iterator[str]:
    """Say which checks did not come to an answer, each cause once."""
    for check in report.checks:
        if check.outcome in _CONDITIONS and not check.message.startswith("the same as in"):
            says = next(iter(check.message.splitlines()), phrase(check.outcome))
            yield f"task {check.task}, {check.title}: {says}"


def _fine(work: Submission, assignment: Assignment, report: Report, lost: list[str]) -> Iterator[str]:
    if not any("is missing" in line for line in lost):
        yield f"all modules are there: {', '.join(assignment.modules)}"
    if not any("import" in line or "cannot read" in line for line in lost):
        yield "every import is allowed where you are graded"
    if not any("own computer" in line for line in lost):
        yield "no path leads to your own computer"
    if not any(check.outcome in (Outcome.TIMEOUT, Outcome.MEMORY) for check in report.checks):
        seconds = sum(check.seconds for check in report.checks)
        memory = f", {assignment.limits.memory_mb} MB" if HAS_JUDGES else ""
        yield f"it keeps its limits: {seconds:.0f} of {assignment.limits.seconds} s{memory}"
