"""The author's commands: skeletons, lessons, and the proof that a week's checks are right."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from grader.cli.options import Add
from grader.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from grader.author.proof.findings import Finding
    from grader.author.proof.matrix import Matrix
    from grader.author.proof.operators import GeneratedMutant
    from grader.author.proof.trials import Subject, Trial
    from grader.course import Assignment, Course
    from grader.sandbox import Sandbox

OTHER_SEEDS = range(1, 5)  # with which a mutant is graded again that a check of the record has let pass


def add_commands(add: Add) -> None:
    """Tell the command line of the commands below."""
    _add_making(add)
    _add_validate(add)
    _add_release(add)


def _add_making(add: Add) -> None:
    skeleton = add(
        "skeleton",
        run_skeleton,
        "generate the skeletons in assignments/ from the references in solutions/",
        "python -m grader skeleton --check",
    )
    skeleton.add_argument("week", nargs="?", help="default: every week")
    skeleton.add_argument("--check", action="store_true", help="write nothing; exit 1 where a skeleton is stale")
    lessons = add(
        "lessons",
        run_lessons,
        "make the lesson notebooks from their sources, or run them to HTML",
        "python -m grader lessons week5 --html pages/",
    )
    lessons.add_argument("week", nargs="*", help="default: every week")
    lessons.add_argument("--check", action="store_true", help="write nothing; exit 1 where a notebook is stale")
    lessons.add_argument("--html", type=Path, metavar="DIR", help="run the notebooks, and write WEEK.html into DIR")
    lessons.add_argument("--data", type=Path, metavar="DIR", help="MNIST or CUB-200 are there (default: $GRADER_DATA)")
    lessons.add_argument("--reference", action="store_true", help="run with solutions/ instead of your modules")
    new = add("new", run_new, "begin a week: one task, its reference, checks and mutants", "python -m grader new week7")
    new.add_argument("week", help="`week` and a number")


def _add_validate(add: Add) -> None:
    validate = add(
        "validate",
        run_validate,
        "prove the checks: what is right gets all points, and each mistake loses them in its task alone",
        "python -m grader validate week5 --html validation.html",
    )
    validate.add_argument("week", nargs="*", help="default: every week")
    validate.add_argument("--seeds", type=int, default=3, metavar="N", help="grade the reference with N seeds (3)")
    validate.add_argument(
        "--mutate", action="store_true", help="apply the general operators as well, and list survivors"
    )
    validate.add_argument("--record", action="store_true", help="agree to what each check catches now")
    validate.add_argument("--html", type=Path, metavar="FILE", help="write the matrix as a page, too")


def _add_release(add: Add) -> None:
    tree = add(
        "release",
        run_release,
        "write what students get, without solutions and hidden checks, as a folder or a branch",
        "python -m grader release --branch students",
    )
    where = tree.add_mutually_exclusive_group(required=True)
    where.add_argument("--to", type=Path, metavar="DIR", help="a new folder, or one of an earlier release")
    where.add_argument("--branch", metavar="NAME", help="a branch without a common history; a rerun adds one commit")
    tree.add_argument("--message", default="Release", help="of the branch's commit (default: %(default)s)")
    package = add(
        "package",
        run_package,
        "bundle a week for a host that runs autograders",
        "python -m grader package week5 --for gradescope --to autograder.zip",
    )
    package.add_argument("week")
    package.add_argument("--for", dest="host", choices=("gradescope", "classroom50"), required=True, help="the host")
    package.add_argument(
        "--to", type=Path, required=True, metavar="PATH", help="gradescope: a zip to write; classroom50: a new folder"
    )


def run_skeleton(arguments: argparse.Namespace) -> int:
    """Write the skeletons, or say which are stale."""
    from grader.author.release.skeleton import stale_skeletons, write_skeletons

    root = _course().root
    if not arguments.check:
        for path in write_skeletons(root, arguments.week):
            print(f"wrote {path.relative_to(root)}")
        return 0
    stale = stale_skeletons(root, arguments.week)
    for path in stale:
        print(f"stale: {path.relative_to(root)}; run: python -m grader skeleton")
    return 1 if stale else 0


def run_lessons(arguments: argparse.Namespace) -> int:
    """Write the notebooks, say which are stale, or run them."""
    from grader.author.release import lessons

    course = _course()
    weeks = _weeks(course, arguments.week)
    if arguments.html:
        return _run_notebooks(course, weeks, arguments)
    find = lessons.stale_notebooks if arguments.check else lessons.write_notebooks
    changed = [path for week in weeks for path in find(course.root, week)]
    for path in changed:
        name = path.relative_to(course.root)
        print(f"stale: {name}; run: python -m grader lessons" if arguments.check else f"wrote {name}")
    return 1 if changed and arguments.check else 0


def _run_notebooks(course: Course, weeks: Sequence[str], arguments: argparse.Namespace) -> int:
    from grader.author.release import lessons

    if arguments.data and not arguments.data.is_dir():
        raise UsageError(f"--data: there is no folder {arguments.data}")
    for week in weeks:
        folder = course.assignment(week).folder
        page = arguments.html / f"{week}.html"
        modules = course.root / "solutions" / week if arguments.reference else folder
        lessons.execute(folder / f"{week}.ipynb", modules, page, arguments.data)
        print(f"wrote {page}")
    return 0


def run_validate(arguments: argparse.Namespace) -> int:
    """Grade everything that a week's checks are tried on, and say what does not come out as it should."""
    from grader.author.proof.matrix import page, print_matrix
    from grader.cli.console import make_console
    from grader.files import write_atomically
    from grader.sandbox import choose

    if arguments.seeds < 1:
        raise UsageError(f"--seeds: at least 1, not {arguments.seeds}")
    course, console, sandbox = _course(), make_console(), choose(arguments.sandbox)
    matrices, unexplained = [], 0
    for week in _weeks(course, arguments.week):
        assignment = course.assignment(week)
        matrix = _validated(course, assignment, sandbox, arguments, console)
        print_matrix(matrix, console)
        matrices.append(matrix)
        if arguments.mutate:
            unexplained += _mutated(course, assignment, sandbox, arguments.jobs, console)
    if arguments.html:
        write_atomically(arguments.html, page(matrices))
        print(f"wrote {arguments.html}")
    return 1 if unexplained or any(matrix.faults for matrix in matrices) else 0


def _validated(
    course: Course, assignment: Assignment, sandbox: Sandbox, arguments: argparse.Namespace, console: Console
) -> Matrix:
    from grader.author.proof import findings, matrix, record, trials
    from grader.author.proof.mutants import load_mutants

    week, mutants = assignment.week, load_mutants(course.root, assignment.week)
    subjects = trials.subjects_of(assignment, mutants, range(arguments.seeds))
    done = _graded(course, week, subjects, sandbox, arguments.jobs, console)
    if arguments.record:
        written = record.save(course.root, week, findings.caught(done, mutants))
        print(f"wrote {written.relative_to(course.root)}")
    recorded = record.load(course.root, week)
    missed = findings.missed(done, mutants, recorded)
    mutated = (one for one in subjects if one.kind == trials.MUTANT and one.name in missed)
    again = [replace(one, seed=seed) for one in mutated for seed in OTHER_SEEDS]
    more = _graded(course, week, again, sandbox, arguments.jobs, console) if again else []
    found = [*_stale(course, week), *findings.examine(done, mutants, recorded, more)]
    return matrix.matrix_of(week, done, mutants, found)


def _stale(course: Course, week: str) -> Iterator[Finding]:
    from grader.author.proof.findings import Finding
    from grader.author.release.lessons import stale_notebooks
    from grader.author.release.skeleton import stale_skeletons

    for command, paths in (
        ("skeleton", stale_skeletons(course.root, week)),
        ("lessons", stale_notebooks(course.root, week)),
    ):
        for path in paths:
            yield Finding("stale", path.relative_to(course.root).as_posix(), f"run: python -m grader {command}")


def _mutated(course: Course, assignment: Assignment, sandbox: Sandbox, jobs: int, console: Console) -> int:
    """Try every generated mutant; the number of survivors without a reason."""
    from grader.author.proof import operators, survivors, trials
    from grader.author.proof.mutants import reference_files

    reference = reference_files(assignment)
    made = {mutant.id: mutant for mutant in operators.mutants_of(reference)}
    subjects = [trials.Subject(trials.MUTANT, name, mutant.apply(reference)) for name, mutant in made.items()]
    done = _graded(course, assignment.week, subjects, sandbox, jobs, console)
    alive = [made[t.subject.name] for t in done if t.report and t.report.score == t.report.max_score]
    alive.sort(key=lambda mutant: (mutant.file, mutant.line, mutant.id))
    reasons = survivors.load_reasons(course.root, assignment.week)
    open_ones = survivors.unexplained(alive, reasons)
    console.print(
        f"{assignment.week}: of {len(made)} generated mutants {len(made) - len(alive)} lose points, "
        f"{len(alive) - len(open_ones)} survive for a reason, {len(open_ones)} survive",
        style="bold", highlight=False,
    )  # fmt: skip
    for line in _survivor_lines(open_ones):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for reason in survivors.idle_reasons(alive, reasons):
        console.print(f"survivors.toml: nothing survives any more for: {reason.id or reason.line}", style="dim")
    return len(open_ones) + sum(trial.report is None for trial in done)


def _survivor_lines(mutants: Iterable[GeneratedMutant]) -> Iterator[str]:
    for mutant in mutants:
        yield f"survivor: {mutant.id}  {mutant.file}:{mutant.line} (task {mutant.task or '–'})"
        yield f"  - {mutant.before}"
        yield f"  + {mutant.after}"


def _graded(
    course: Course, week: str, subjects: Sequence[Subject], sandbox: Sandbox, jobs: int | None, console: Console
) -> list[Trial]:
    import os

    from rich.progress import track

    from grader.author.proof import trials

    running = trials.run(course.root, week, subjects, sandbox, jobs or len(os.sched_getaffinity(0)))
    if not console.is_terminal:
        console.print(f"{week}: grading {len(subjects)} submissions", highlight=False)
        return list(running)
    return list(track(running, f"{week}: grading", total=len(subjects), console=console, transient=True))


def run_release(arguments: argparse.Namespace) -> int:
    """Write or commit the student tree."""
    from grader.author.release import tree

    course = _course()
    files = tree.student_tree(course)
    if arguments.to:
        tree.write_folder(files, arguments.to)
        print(f"wrote {len(files)} files to {arguments.to}")
        return 0
    commit = tree.commit_branch(course, files, arguments.branch, arguments.message)
    print(
        f"{arguments.branch}: {commit[:12]}, {len(files)} files"
        if commit
        else f"{arguments.branch}: nothing has changed"
    )
    return 0


def run_package(arguments: argparse.Namespace) -> int:
    """Write a bundle."""
    from grader.author.release import package, tree
    from grader.files import write_atomically

    course = _course()
    assignment = course.assignment(arguments.week)
    if arguments.host == "gradescope":
        write_atomically(arguments.to, package.gradescope(course, assignment))
        print(f"wrote {arguments.to}: upload it as the autograder; keep it private, as it holds the hidden checks")
        return 0
    files = package.classroom50(course, assignment)
    tree.write_folder(files, arguments.to)
    print(f"wrote {len(files)} files to {arguments.to}: the content of autograders/SLUG/ in the classroom's repository")
    return 0


def run_new(arguments: argparse.Namespace) -> int:
    """Scaffold a week."""
    from grader.author.release.scaffold import new_week

    course = _course()
    for path in new_week(course, arguments.week):
        print(f"wrote {path.relative_to(course.root)}")
    print(f"next: python -m grader validate {arguments.week}; solutions/README.md says how to go on")
    return 0


def _weeks(course: Course, named: Sequence[str]) -> list[str]:
    return [course.assignment(week).week for week in named] or list(course.assignments())


def _course() -> Course:
    from grader.course import find_course

    return find_course(None)
