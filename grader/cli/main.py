"""The command line: one function a command, each with a help text that ends in an example.

Exit codes: 0 everything was graded, whatever the scores; 1 something could not be graded or is stale, said last and
by name; 2 the request makes no sense; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from grader import __version__
from grader.cli import author, gradebook, results, similar
from grader.cli.console import make_console, make_sandbox, the_course
from grader.cli.options import Command, class_options, device_option
from grader.errors import GraderError, UsageError
from grader.sandbox import KINDS

if TYPE_CHECKING:
    from rich.console import Console

    from grader.batch.run import BatchOptions, BatchResult
    from grader.course import Course


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors of the kit's own come out as one line on stderr."""
    parsed = build_parser().parse_args(arguments)
    try:
        status: int = parsed.command(parsed)
    except GraderError as error:
        print(f"grader: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def build_parser() -> argparse.ArgumentParser:
    """Every command with its options; tests check that each has a description and an example."""
    parser = argparse.ArgumentParser(prog="python -m grader", description="Grade PyTorch assignments by evidence.")
    parser.add_argument("--version", action="version", version=f"grader {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = _add(commands, "demo", run_demo, "grade the sample class, end to end", "python -m grader demo")
    demo.add_argument("--out", type=Path, default=Path("demo-reports"), help="where to write (default: %(default)s)")
    _jobs_option(demo)
    _sandbox_option(demo)
    run = _add(
        commands,
        "run",
        run_one,
        "grade one submission and print its score by task",
        "python -m grader run week5 --submission ~/lenet-homework",
    )
    run.add_argument("week")
    run.add_argument("--submission", type=Path, metavar="DIR", help="default: the working copy in assignments/")
    run.add_argument("--seed", type=int, default=0, help="seed of what the checks draw (default: 0)")
    _sandbox_option(run)
    device_option(run)
    _add_batch(commands)
    gradebook.add_commands(partial(_add, commands))
    similar.add_commands(partial(_add, commands))
    results.add_commands(partial(_add, commands))
    _sandbox_option(commands.choices["ci"])
    device_option(commands.choices["ci"])
    author.add_commands(partial(_add, commands))
    _jobs_option(commands.choices["validate"])
    _sandbox_option(commands.choices["validate"])
    _add(
        commands,
        "doctor",
        run_doctor,
        "say what this machine offers, and how to get the rest",
        "python -m grader doctor",
    )
    return parser


def _add(
    commands: argparse._SubParsersAction, name: str, command: Command, about: str, example: str
) -> argparse.ArgumentParser:  # type: ignore[type-arg]
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=about,
        description=about[0].upper() + about[1:] + ".",
        epilog=f"example:  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=command)
    return parser


def _add_batch(commands: argparse._SubParsersAction) -> None:  # type: ignore[type-arg]
    batch = _add(
        commands,
        "batch",
        run_batch,
        "grade a folder of submissions; unchanged ones keep their grade",
        "python -m grader batch submissions/ --week week5 --out reports",
    )
    class_options(batch)
    batch.add_argument("--out", type=Path, default=Path("reports"), help="where to write (default: %(default)s)")
    batch.add_argument("--seed", type=int, default=0, help="seed of what the checks draw (default: 0)")
    batch.add_argument("--regrade", action="store_true", help="grade unchanged submissions again, too")
    batch.add_argument(
        "--scheduler", metavar="ADDRESS", help="grade on the workers of this Dask scheduler (see .github/CLUSTER.md)"
    )
    batch.add_argument("--dry-run", action="store_true", help="show what was found, and grade nothing")
    _jobs_option(batch)
    _sandbox_option(batch)
    device_option(batch)


def _jobs_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=_positive, metavar="N", help="judges side by side (default: one a core)")


def _sandbox_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sandbox",
        choices=KINDS,
        default="auto",
        help="auto: the best that works here; bwrap: that or nothing; process: NO security boundary",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def run_demo(arguments: argparse.Namespace) -> int:
    """Grade `fixtures/submissions`; a class page is what it leaves."""
    from grader.batch.run import BatchOptions

    course = the_course()
    return _grade_class(
        course,
        BatchOptions(course.root / "fixtures" / "submissions", arguments.out, jobs=arguments.jobs),
        arguments.sandbox,
        "cpu",
    )


def run_batch(arguments: argparse.Namespace) -> int:
    """Grade a class, or show what would be graded."""
    from grader.batch.run import BatchOptions

    options = BatchOptions(
        arguments.submissions,
        arguments.out,
        weeks=arguments.week,
        seed=arguments.seed,
        jobs=arguments.jobs,
        regrade=arguments.regrade,
        layout=arguments.layout,
        roster=arguments.roster,
    )
    course = the_course()
    if arguments.dry_run:
        return _show_found(course, options)
    return _grade_class(course, options, arguments.sandbox, arguments.device, arguments.scheduler)


def _grade_class(
    course: Course, options: BatchOptions, kind: str, device: str = "cpu", scheduler: str | None = None
) -> int:
    from grader.batch.backend import LocalBackend, cluster_backend
    from grader.batch.run import grade_class
    from grader.reports.progress import Progress

    console = make_console()

    def say(line: str) -> None:
        console.print(line, style="bold red", markup=False, highlight=False, soft_wrap=True)

    if scheduler and device != "cpu":
        raise UsageError(f"--device {device}: the workers of a scheduler grade on the CPU; leave out one of the two")
    place = (
        cluster_backend(course.root, scheduler, kind, say, options.jobs)
        if scheduler
        else LocalBackend(course.root, make_sandbox(kind, device), options.jobs)
    )
    try:
        result = grade_class(course, options, place, Progress(console, place.says, warns=not place.confined))
    except KeyboardInterrupt:
        console.print("\ninterrupted: what was graded is kept; run the same command again to go on")
        return 130
    _print_class(console, options.out, result)
    if result.graded and not place.confined:
        console.print("graded WITHOUT A SANDBOX; `python -m grader doctor` says how to get one", style="bold red")
    return 1 if result.trouble else 0


def _print_class(console: Console, out: Path, result: BatchResult) -> None:
    from grader.escape import terminal
    from grader.reports.terminal import print_class

    print_class(result.reports, result.problems, console)
    trouble = result.trouble
    counts = f"graded {result.graded}, unchanged {result.kept}, not gradable {len(trouble)}"
    if result.ignored:
        counts += f", ignored {len(result.ignored)} (--dry-run says why)"
    lines = [counts, f"open {out / 'index.html'}"]
    if result.missing:
        lines.insert(0, terminal(f"handed in nothing: {len(result.missing)} ({', '.join(result.missing)})"))
    # What could not be graded comes last, a line each, so that nobody overlooks it.
    for line in (*lines, *trouble):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _show_found(course: Course, options: BatchOptions) -> int:
    from grader.batch.run import find_class
    from grader.cli.console import print_found
    from grader.errors import SubmissionError
    from grader.escape import terminal
    from grader.intake import load

    found, roster = find_class(course, options)
    gradable, unreadable = [], []
    for candidate in found.candidates:
        try:
            submission = load(candidate)
        except SubmissionError as error:
            unreadable.append(f"not gradable: {candidate.student}: {error}")
        else:
            gradable.append((candidate, submission.notes))
    missing = roster.missing(candidate.student for candidate in found.candidates)
    print_found(found.layout, gradable, found.ignored, missing, make_console())
    for line in unreadable:
        print(terminal(line))
    return 1 if unreadable else 0


def run_one(arguments: argparse.Namespace) -> int:
    """Grade one folder and print the score by task."""
    from grader.escape import terminal
    from grader.intake import load_folder
    from grader.judging.job import job_of
    from grader.judging.pool import grade_alone
    from grader.reports.terminal import print_score, trouble_lines

    course = the_course()
    assignment = course.assignment(arguments.week)
    submission = load_folder(arguments.submission or assignment.folder, assignment)
    sandbox = make_sandbox(arguments.sandbox, arguments.device)
    if not sandbox.confined:
        print(f"grader: {sandbox.says}", file=sys.stderr)
    report = grade_alone(course.root, job_of(submission, arguments.seed), sandbox)
    for note in report.notes:
        print(terminal(f"note: {note}"))
    print_score(report, make_console())
    for line in trouble_lines([report], []):
        print(line)
    return 1 if report.broken else 0


def run_doctor(arguments: argparse.Namespace) -> int:
    """Print what is there; exit 1 where grading untrusted code is not possible."""
    from grader.sandbox.doctor import examine

    findings = examine()
    for finding in findings:
        print(finding)
    return 0 if all(finding.good for finding in findings) else 1
