"""Runs the command `validate`: prints the proof that a week's checks are right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from watchfiles import PythonFilter, watch

from grader.author.proof import record
from grader.author.proof.findings import Finding
from grader.author.proof.matrix import page, print_matrix
from grader.author.proof.repeated import Kept
from grader.author.proof.static import faults_of
from grader.author.proof.trials import Trial
from grader.author.proof.validate import Part, Survival, mutate, rewrite
from grader.author.proof.validate import validate as prove
from grader.cli.console import chosen_weeks, make_console, the_course
from grader.cli.options import PATH, command, course_option, jobs_option, sandbox_option
from grader.errors import GraderError, UsageError
from grader.escape import terminal
from grader.files import write_atomically
from grader.reports.words import counted
from grader.sandbox import choose


@command("validate week5 --html validation.html")
@click.argument("week", nargs=-1)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=3,
    metavar="N",
    help="Grade the reference and the variants with N seeds.",
)
@click.option("--mutate", "general", is_flag=True, help="Apply the general operators as well, and list survivors.")
@click.option("--forms", type=click.IntRange(min=0), default=0, metavar="N", help="Grade N rewritten programs, too.")
@click.option(
    "--start", type=click.IntRange(min=0), default=0, metavar="N", help="With --forms: where the draws begin."
)
@click.option("--record", "agree", is_flag=True, help="Agree to what each check catches now, and record it.")
@click.option("--html", type=PATH, metavar="FILE", help="Write the matrix as a page, too.")
@click.option(
    "--task", metavar="N.M", default="", show_default=False, help="Only mutants of this task: seconds after an edit."
)
@click.option("--mutant", "mutants", multiple=True, metavar="ID...", help="Only these mutants.")
@click.option("--watch", "again", is_flag=True, help="After each change, grade again what it touches, until Ctrl-C.")
@jobs_option
@sandbox_option
@course_option
def validate(
    week: tuple[str, ...], seeds: int, general: bool, forms: int, start: int, agree: bool, html: Path | None,
    task: str, mutants: tuple[str, ...], again: bool, jobs: int | None, sandbox: str,
) -> int:  # fmt: skip
    """Prove the checks: correct solutions get all points, and each mistake loses points in its tasks alone.

    Name one WEEK or several; by default it takes every week.
    """
    part = Part(task, mutants)
    if agree and not part.is_whole:
        raise UsageError("--record takes a whole week: leave --task and --mutant out")
    if again and (agree or general or forms):
        raise UsageError("--watch proves the checks alone: leave --record, --mutate and --forms out")
    console, place, kept = make_console(), choose(sandbox), Kept()
    shown = partial(_watch, console)
    names = chosen_weeks(the_course(), week)

    def prove_all() -> int:
        course, matrices, faults = the_course(), [], 0
        for name in names:
            if wrong := faults_of(course, name):
                _print_faults(name, wrong, console)
                faults += len(wrong)
                continue
            matrix = prove(
                name, course=course, sandbox=place, jobs=jobs, seeds=seeds, agree=agree, watch=shown, part=part,
                draws=not again, kept=kept,
            )  # fmt: skip
            if agree:
                print(f"wrote {record.file_of(course.root, name).relative_to(course.root)}")
            print_matrix(matrix, console)
            matrices.append(matrix)
            faults += len(matrix.faults)
            if general:
                survival = mutate(name, course=course, sandbox=place, jobs=jobs, watch=shown)
                _print_survival(survival, console)
                faults += survival.faults
            if forms:
                found = rewrite(name, forms, course=course, sandbox=place, jobs=jobs, start=start, watch=shown)
                _print_forms(name, forms, found, console)
                faults += len(found)
        if html:
            write_atomically(html, page(matrices))
            print(f"wrote {html}")
        return faults

    faults = _repeat(prove_all, the_course().root, console) if again else prove_all()
    return 1 if faults else 0


def _repeat(prove_all: Callable[[], int], root: Path, console: Console) -> int:
    """Prove, wait for a change of the course's files, and prove again, until Ctrl-C; return the last faults.

    An error in the files is what an author is about to mend: it is told, and the next change tried.
    """
    chosen = PythonFilter(extra_extensions=[".toml", ".md", ".json", ".txt", ".ipynb"])
    folders = [root / name for name in ("assignments", "solutions", "fixtures") if (root / name).is_dir()]
    # It gives an empty set after a while, too: so it watches from here on, and misses nothing while checks are proved.
    events = watch(*folders, watch_filter=chosen, raise_interrupt=False, rust_timeout=100, yield_on_timeout=True)
    next(events, None)
    while True:
        try:
            faults = prove_all()
        except GraderError as error:
            faults = 1
            console.print(terminal(str(error)), style="red", markup=False, highlight=False, soft_wrap=True)
        console.print("\nWaits for the next change of the course's files. Ctrl-C ends.", style="dim")
        changed = next((some for some in events if some), None)
        if changed is None:  # Ctrl-C
            return faults
        names = sorted({Path(path).relative_to(root).as_posix() for _, path in changed})
        console.print(terminal(f"changed: {', '.join(names)}"), style="bold", markup=False, highlight=False)


def _print_faults(week: str, wrong: Sequence[tuple[str, str]], console: Console) -> None:
    come = "comes" if len(wrong) == 1 else "come"
    said = f"{week}: nothing was graded, as {counted(len(wrong), 'fault')} {come} first"
    console.print(said, style="bold", highlight=False)
    for place, text in wrong:
        console.print(terminal(f"{place}: {text}"), style="red", markup=False, highlight=False, soft_wrap=True)


def _watch(console: Console, week: str, count: int, running: Iterator[Trial]) -> Iterable[Trial]:
    if console.is_terminal:
        return track(running, f"{week}: grading", total=count, console=console, transient=True)
    console.print(f"{week}: grading {count} submissions", highlight=False)
    return running


def _print_forms(week: str, count: int, found: Sequence[Finding], console: Console) -> None:
    console.print(
        f"{week}: {count} correct programs and as many mutants in other forms: {len(found)} are taken amiss",
        style="bold", highlight=False,
    )  # fmt: skip
    for finding in found:
        console.print(terminal(str(finding)), style="red", markup=False, highlight=False, soft_wrap=True)


def _print_survival(found: Survival, console: Console) -> None:
    reasoned = len(found.alive) - len(found.unexplained)
    console.print(
        f"{found.week}: of {found.made} generated mutants {found.made - len(found.alive)} lose points, "
        f"{reasoned} survive for a reason, {len(found.unexplained)} survive",
        style="bold", highlight=False,
    )  # fmt: skip
    for mutant in found.unexplained:
        place = f"{mutant.file}:{mutant.line} (task {mutant.task or '–'})"
        for line in (f"survivor: {mutant.id}  {place}", f"  - {mutant.before}", f"  + {mutant.after}"):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    for reason in found.idle:
        console.print(f"survivors.toml: nothing survives any more for: {reason.id or reason.line}", style="dim")
