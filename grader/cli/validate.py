"""Runs the command `validate`: prints the proof that a week's checks are right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from grader.author.proof import record
from grader.author.proof.findings import Finding
from grader.author.proof.matrix import page, print_matrix
from grader.author.proof.static import faults_of
from grader.author.proof.trials import Trial
from grader.author.proof.validate import Part, Survival, mutate, rewrite
from grader.author.proof.validate import validate as prove
from grader.cli.console import chosen_weeks, make_console, the_course
from grader.cli.options import PATH, command, course_option, jobs_option, sandbox_option
from grader.errors import UsageError
from grader.escape import terminal
from grader.files import write_atomically
from grader.sandbox import choose


@command("validate week5 --html validation.html")
@click.argument("week", nargs=-1)
@click.option("--seeds", type=click.IntRange(min=1), default=3, metavar="N", help="Grade the reference with N seeds.")
@click.option("--mutate", "general", is_flag=True, help="Apply the general operators as well, and list survivors.")
@click.option("--forms", type=click.IntRange(min=0), default=0, metavar="N", help="Grade N rewritten programs, too.")
@click.option("--start", type=click.IntRange(min=0), default=0, metavar="N", help="Draw other forms.")
@click.option("--record", "agree", is_flag=True, help="Agree to what each check catches now, and record it.")
@click.option("--html", type=PATH, metavar="FILE", help="Write the matrix as a page, too.")
@click.option("--task", metavar="N.M", default="", help="Only mutants of this task: seconds after an edit.")
@click.option("--mutant", "mutants", multiple=True, metavar="ID...", help="Only these mutants.")
@jobs_option
@sandbox_option
@course_option
def validate(
    week: tuple[str, ...], seeds: int, general: bool, forms: int, start: int, agree: bool, html: Path | None,
    task: str, mutants: tuple[str, ...], jobs: int | None, sandbox: str,
) -> int:  # fmt: skip
    """Prove the checks: correct solutions get all points, and each mistake loses points in its tasks alone.

    Name one WEEK or several; by default it takes every week.
    """
    part = Part(task, mutants)
    if agree and not part.is_whole:
        raise UsageError("--record takes a whole week: leave --task and --mutant out")
    course, console = the_course(), make_console()
    watch, place = partial(_watch, console), choose(sandbox)
    matrices, faults = [], 0
    for name in chosen_weeks(course, week):
        if wrong := faults_of(course, name):
            _print_faults(name, wrong, console)
            faults += len(wrong)
            continue
        matrix = prove(
            name, course=course, sandbox=place, jobs=jobs, seeds=seeds, agree=agree, watch=watch, part=part, draws=True
        )
        if agree:
            print(f"wrote {record.file_of(course.root, name).relative_to(course.root)}")
        print_matrix(matrix, console)
        matrices.append(matrix)
        faults += len(matrix.faults)
        if general:
            survival = mutate(name, course=course, sandbox=place, jobs=jobs, watch=watch)
            _print_survival(survival, console)
            faults += survival.faults
        if forms:
            found = rewrite(name, forms, course=course, sandbox=place, jobs=jobs, start=start, watch=watch)
            _print_forms(name, forms, found, console)
            faults += len(found)
    if html:
        write_atomically(html, page(matrices))
        print(f"wrote {html}")
    return 1 if faults else 0


def _print_faults(week: str, wrong: Sequence[tuple[str, str]], console: Console) -> None:
    console.print(f"{week}: nothing was graded, as {len(wrong)} faults come first", style="bold", highlight=False)
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
