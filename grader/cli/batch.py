"""Runs the commands on a class: `batch`, and `demo` for the sample class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click
from rich.console import Console

from grader.batch.backend import Backend, LocalBackend, cluster_backend
from grader.batch.missing import EMPTY, ZERO
from grader.batch.run import BatchOptions, BatchResult, find_class, grade_class
from grader.cli.classes import class_options
from grader.cli.console import joined, make_console, make_sandbox, people_lines, print_found, the_course
from grader.cli.options import (
    command,
    course_option,
    device_option,
    drawn_seed_option,
    jobs_option,
    out_option,
    sandbox_option,
)
from grader.course import Course
from grader.errors import SubmissionError, UsageError
from grader.escape import terminal
from grader.gradebook import copied_book
from grader.intake import load
from grader.intake.noise import NOISE
from grader.judging.shortcuts import NONE, Shortcuts
from grader.reports.progress import Progress
from grader.reports.terminal import overtaken_lines, print_class, waiting_lines
from grader.reports.words import first_of

MOST_IGNORED = 8  # names for one reason; --dry-run shows all


@command("demo")
@out_option("demo-reports", "Where to write.")
@jobs_option
@sandbox_option
@course_option
def demo(out: Path, jobs: int | None, sandbox: str) -> int:
    """Grade the sample class, end to end."""
    course = the_course()
    options = BatchOptions(course.root / "fixtures" / "submissions", out, seed=0, jobs=jobs)
    return _grade(course, options, sandbox)


@command("batch submissions/ --week week5 --out reports")
@class_options
@out_option("reports", "Where to write.")
@drawn_seed_option
@click.option("--regrade", is_flag=True, help="Grade unchanged submissions again, too.")
@click.option(
    "--scheduler", metavar="ADDRESS", help="Grade on the workers of this Dask scheduler (see .github/CLUSTER.md)."
)
@click.option(
    "--missing",
    type=click.Choice((ZERO, EMPTY)),
    help="zero: nothing handed in counts as 0 once the week is due (default: as in the last run, at first empty).",
)
@click.option("--dry-run", is_flag=True, help="Show what was found, and grade nothing.")
@click.option(
    "--no-shortcuts",
    is_flag=True,
    help="Judge all anew, the slow, obvious way: no check shares a process, and nothing is remembered.",
)
@jobs_option
@sandbox_option
@device_option
@course_option
def batch(
    submissions: Path, weeks: tuple[str, ...], roster: Path | None, layout: str | None, out: Path, seed: int | None,
    regrade: bool, scheduler: str | None, missing: str | None, dry_run: bool, no_shortcuts: bool, jobs: int | None,
    sandbox: str, device: str,
) -> int:  # fmt: skip
    """Grade a folder of submissions; unchanged ones keep their grade.

    SUBMISSIONS is what you downloaded, as a folder or a zip, or a folder with one entry for each student.
    """
    options = BatchOptions(submissions, out, weeks, seed, jobs, regrade or no_shortcuts, layout, roster, missing)
    if dry_run:
        return _show_found(the_course(), options)
    return _grade(the_course(), options, sandbox, device, scheduler, NONE if no_shortcuts else None)


def _grade(
    course: Course, options: BatchOptions, sandbox: str, device: str = "cpu", scheduler: str | None = None,
    shortcuts: Shortcuts | None = None,
) -> int:  # fmt: skip
    console = make_console()

    def say(line: str) -> None:
        console.print(line, style="bold red", markup=False, highlight=False, soft_wrap=True)

    backend = _backend(course, options, sandbox, device, scheduler, shortcuts, say)
    try:
        result = grade_class(course, options, backend, Progress(console, backend.says, warns=not backend.confined))
    except KeyboardInterrupt:
        console.print("\ninterrupted: what was graded is kept; run the same command again to go on")
        return 130
    _print_result(console, options.out, result)
    if result.graded and not backend.confined:
        console.print("graded WITHOUT A SANDBOX; `python -m grader doctor` says how to get one", style="bold red")
    return 1 if result.trouble else 0


def _backend(
    course: Course, options: BatchOptions, sandbox: str, device: str, scheduler: str | None,
    shortcuts: Shortcuts | None, say: Callable[[str], None],
) -> Backend:  # fmt: skip
    """Choose where to grade: on this machine, or on the workers of a scheduler."""
    if not scheduler:
        return LocalBackend(course.root, make_sandbox(sandbox, device), options.jobs, shortcuts)
    if shortcuts is not None:
        raise UsageError("--no-shortcuts: the workers of a scheduler always take them; leave out one of the two")
    if device != "cpu":
        raise UsageError(f"--device {device}: the workers of a scheduler grade on the CPU; leave out one of the two")
    return cluster_backend(course.root, scheduler, sandbox, say, options.jobs)


def _print_result(console: Console, out: Path, result: BatchResult) -> None:
    print_class(result.reports, result.problems, console, result.members.people)
    trouble = result.trouble
    counts = f"graded {result.graded}, unchanged {result.kept}, not gradable {len(trouble)}"
    if result.ignored:
        counts += f", ignored {len(result.ignored)}"
    lines = [counts, f"open {out / 'index.html'}"]
    lines[1:1] = ignored_lines(result.ignored)
    if result.seeds:
        lines.insert(
            1, f"seed {', '.join(map(str, sorted(result.seeds)))}: what the checks drew from, kept in the gradebook"
        )
    changed = map(terminal, result.changed)
    lines[:0] = [
        *people_lines(result.members),
        *changed,
        *_untimed_lines(result),
        *_zero_lines(result),
        *waiting_lines(result.reports),
    ]
    # What could not be graded comes last, a line each, so that nobody overlooks it.
    overtaken = overtaken_lines(result.reports)
    for line, style in (*((line, "") for line in lines), *((line, "bold yellow") for line in overtaken)):
        console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
    for line in trouble:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _untimed_lines(result: BatchResult) -> list[str]:
    """Say where work counts as in time because nothing tells when it came."""
    counts = ", ".join(f"{week}: {count}" for week, count in result.untimed.items())
    why = "their platform tells no time; the roster's column `submitted` can"
    return [f"nothing tells whether they are late, so they count as in time: {counts} ({why})"] if counts else []


def _zero_lines(result: BatchResult) -> list[str]:
    names = [f"{student} {week}" for student, week in result.zeros]
    return [terminal(f"nothing handed in, counts as 0: {len(names)} ({joined(names)})")] if names else []


def ignored_lines(ignored: Sequence[tuple[str, str]]) -> list[str]:
    """Name what is nobody's, a line for each reason; what tools make is not worth one."""
    by_reason: dict[str, list[str]] = {}
    for name, why in ignored:
        if why != NOISE:
            by_reason.setdefault(why, []).append(name)
    return [terminal(f"ignored: {first_of(names, MOST_IGNORED)} ({why})") for why, names in by_reason.items()]


def _show_found(course: Course, options: BatchOptions) -> int:
    with copied_book(options.out) as book:
        found, members = find_class(course, options, book=book)
    gradable, unreadable = [], []
    for candidate in members.candidates:
        try:
            submission = load(candidate)
        except SubmissionError as error:
            unreadable.append(f"not gradable: {candidate.student}: {error}")
        else:
            gradable.append((candidate, submission.notes))
    print_found(found.layout, gradable, found.ignored, make_console())
    for line in (*people_lines(members), *map(terminal, unreadable)):
        print(line)
    return 1 if unreadable else 0
