"""Runs the command `submit-check`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from grader.choices import HAS_JUDGES, NO_JUDGES
from grader.cli.console import make_sandbox, speak_of, students_course, warn_unconfined
from grader.cli.options import PATH, command, course_option, language_option, sandbox_option
from grader.course import Assignment, Course
from grader.escape import terminal
from grader.inside import says
from grader.intake import Submission, load_folder
from grader.intake.collect import LARGEST_SUBMISSION
from grader.intake.handing_in import failures, findings
from grader.language import retold, spoken, tr
from grader.reports.words import WORDS, points_of
from grader.results import Outcome, Report

_CONDITIONS = (Outcome.ERROR, Outcome.TIMEOUT, Outcome.MEMORY, Outcome.KILLED, Outcome.INVALID)


@command("submit-check week5 --submission homework.zip")
@click.argument("week")
@click.option("--submission", type=PATH, metavar="PATH", help="What you will hand in (default: assignments/WEEK).")
@sandbox_option
@language_option
@course_option
def submit_check(week: str, submission: Path | None, sandbox: str) -> int:
    """Check before handing in that a week's work can be graded.

    Its files, imports, paths and limits count. It is read and run as for the grade, with the public checks. The exit
    code is 1 where something would be lost.
    """
    course = students_course()
    assignment = course.assignment(week)
    speak_of(assignment)
    work = load_folder(submission or assignment.folder, assignment)
    size = sum(map(len, work.files.values()))
    files = tr("1 file" if len(work.files) == 1 else "{n} files", n=len(work.files))
    limit = tr("at most {most} MB", most=LARGEST_SUBMISSION >> 20)
    print(f"{week}: {files}, {size / 1024:.0f} KB ({limit})")
    print(tr("Running the public checks as where you are graded …"), file=sys.stderr, flush=True)
    lost = [*_lacking(work, assignment), *work.notes, *findings(work.files, course.settings.libraries)]
    lost += failures(work.files, assignment.modules, course.settings.libraries, week, lost)
    report = _graded(course, work, sandbox) if HAS_JUDGES else _checked(assignment, work)
    lost += _ended(report)
    for line in dict.fromkeys(lost):
        print(terminal(f"{tr('look')}: {retold(line)}"))
    for line in _fine(work, assignment, report, lost):
        print(terminal(f"{tr('ok')}: {retold(line)}"))
    public = [check for check in report.checks if not check.hidden]
    points = points_of(sum(c.points for c in public), sum(c.max_points for c in public))
    print(tr("Public checks: {points}.", points=points))
    print(tr("Mend what `look` says, and ask again." if lost else "{week} can be handed in.", week=week))
    return 1 if lost else 0


def _graded(course: Course, work: Submission, sandbox: str) -> Report:
    """Run the work as for the grade."""
    from grader.batch.single import grade_submission  # noqa: PLC0415 - it needs Linux

    place = make_sandbox(sandbox, "cpu")
    warn_unconfined(place)
    return grade_submission(course, work, place, language=spoken()).for_student()


def _checked(assignment: Assignment, work: Submission) -> Report:
    """Run the work's public checks where there are no judges."""
    from grader.version import VERSION  # noqa: PLC0415 - digests the sources
    from grader.watching.once import check_once  # noqa: PLC0415 - starts no sooner than it is needed

    print(f"grader: {retold(NO_JUDGES)}; {tr('what it takes of memory is not measured here')}", file=sys.stderr)
    checks = tuple(check_once(assignment, work.files))
    return Report("", assignment.week, 0, VERSION, "", "", checks)


def _lacking(work: Submission, assignment: Assignment) -> Iterator[str]:
    for module in assignment.modules:
        if f"{module}.py" not in work.files and not any(name.startswith(f"{module}/") for name in work.files):
            yield says(f"{module}.py is missing: its tasks would get no points")


def _ended(report: Report) -> Iterator[str]:
    """Say which checks did not come to an answer, each cause once."""
    for check in report.checks:
        if check.outcome in _CONDITIONS and not check.message.startswith("the same as in"):
            first = next(iter(check.message.splitlines()), WORDS[check.outcome][1])
            yield says(f"task {check.task}, {check.title}: {first}")


def _fine(work: Submission, assignment: Assignment, report: Report, lost: list[str]) -> Iterator[str]:
    if not any("is missing" in line for line in lost):
        yield says(f"all modules are there: {', '.join(assignment.modules)}")
    if not any("import" in line or "cannot read" in line for line in lost):
        yield says("every import is allowed where you are graded")
    if not any("own computer" in line for line in lost):
        yield says("no path leads to your own computer")
    if not any(check.outcome in (Outcome.TIMEOUT, Outcome.MEMORY) for check in report.checks):
        seconds = sum(check.seconds for check in report.checks)
        limits, memory = assignment.limits, assignment.limits.memory_mb
        if HAS_JUDGES:
            yield says(f"it keeps its limits: {seconds:.0f} of {limits.seconds} s, {memory} MB")
        else:
            yield says(f"it keeps its limit: {seconds:.0f} of {limits.seconds} s")
