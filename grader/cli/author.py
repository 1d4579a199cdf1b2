"""Runs the author's commands but `validate`: skeletons, lessons, new weeks, and what students and hosts get."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.author.release import lessons as notebooks
from grader.author.release import links, tree
from grader.author.release import package as bundles
from grader.author.release.scaffold import new_course, new_week
from grader.author.release.skeleton import stale_skeletons, write_skeletons
from grader.author.release.workbook import stale_workbooks, write_workbooks
from grader.author.site import writing as pages
from grader.cli.console import chosen_weeks, the_course
from grader.cli.options import PATH, command, course_option
from grader.course import Course
from grader.errors import UsageError
from grader.escape import terminal
from grader.files import write_atomically
from grader.reports.words import counted
from grader.results import task_order


@command("skeleton --check")
@click.argument("week", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a skeleton is stale.")
@course_option
def skeleton(week: tuple[str, ...], check: bool) -> int:
    """Generate the skeletons in assignments/ from the references in solutions/.

    Name one WEEK or several; by default it takes every week.
    """
    root = the_course().root
    find = stale_skeletons if check else write_skeletons
    changed = [path.relative_to(root) for name in week or (None,) for path in find(root, name)]
    for path in changed:
        print(f"stale: {path}; run: python -m grader skeleton" if check else f"wrote {path}")
    return 1 if changed and check else 0


@command("lessons week5 --html pages/")
@click.argument("week", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a notebook is stale.")
@click.option("--html", type=PATH, metavar="DIR", help="Run the notebooks, and write the lessons' pages into DIR.")
@click.option("--site", type=PATH, metavar="DIR", help="The same for every week: a site for GitHub Pages or any host.")
@click.option("--data", type=PATH, metavar="DIR", help="The folder of MNIST or CUB-200 (default: $GRADER_DATA).")
@click.option("--reference", is_flag=True, help="Run with the modules in solutions/ instead of yours.")
@course_option
def lessons(
    week: tuple[str, ...], check: bool, html: Path | None, site: Path | None, data: Path | None, reference: bool
) -> int:
    """Make the lesson notebooks from their sources, or run them into pages.

    Name one WEEK or several; by default it takes every week.
    """
    course = the_course()
    weeks = [course.part(name).week for name in week] or [*course.chapters(), *course.assignments()]
    if folder := html or site:
        if (html and site) or (site and week):
            raise UsageError("--site takes every week; for some of them, say --html DIR")
        if data and not data.is_dir():
            raise UsageError(f"--data: there is no folder {data}")
        return _write_pages(course, weeks, folder, data, reference)
    finds = (notebooks.stale_notebooks, stale_workbooks) if check else (notebooks.write_notebooks, write_workbooks)
    changed = [path.relative_to(course.root) for name in weeks for find in finds for path in find(course.root, name)]
    for path in changed:
        print(f"stale: {path}; run: python -m grader lessons" if check else f"wrote {path}")
    return 1 if changed and check else 0


def _write_pages(course: Course, weeks: list[str], folder: Path, data: Path | None, reference: bool) -> int:
    """Write pages, say what in them waits for a task; return 1 where a cell failed for another reason."""
    made = pages.write(course, weeks, folder, data, reference, _tell)
    for page in made:
        if waiting := page.outcome.waiting:
            tasks = ", ".join(sorted(waiting, key=task_order))
            print(f"{page.plan.title}: some cells wait for task{'' if len(waiting) == 1 else 's'} {tasks}")
        for cell in page.outcome.failed:
            print(f"{page.plan.title}: {terminal(cell)}")
    print(f"wrote {len(made) + 1} pages; open {folder / pages.HOME}")
    return 1 if any(page.outcome.failed for page in made) else 0


def _tell(title: str, number: int, of: int) -> None:
    """Say on stderr how far a notebook is: in one line on a terminal, else once for each notebook."""
    if sys.stderr.isatty():
        end = "\n" if number == of else ""
        print(f"\r\x1b[K{title}: cell {number} of {of}", end=end, file=sys.stderr, flush=True)
    elif number == 1:
        print(f"running {title}, {of} cells", file=sys.stderr, flush=True)


@command("new week8")
@click.argument("what")
@click.argument("name", required=False)
@click.option("--title", default="A course", help="The title of a new course.")
@course_option
def new(what: str, name: str | None, title: str) -> int:
    """Begin a week: one task, its reference, checks and mutants; or begin a course.

    `new week8` makes a week in this course, `new course DIR` makes a course (default: this folder).
    """
    if what == "course":
        folder = Path(name or ".")
        for path in new_course(folder, title):
            print(f"wrote {path}")
        there = "" if folder.resolve() == Path.cwd() else f"cd {folder}; "
        print(f"next: {there}git init; python -m grader new week1")
        print("once students can get it: `repository` in course.toml gives its notebooks a badge for Colab")
        return 0
    week = f"week{(name or '').removeprefix('week')}" if what == "week" else what
    if name and what != "week":
        raise UsageError(f"{what} {name}: begin one week at a time, as in `new {what}`")
    course = the_course()
    for path in new_week(course, week):
        print(f"wrote {path.relative_to(course.root)}")
    print(f"next: python -m grader validate {week}; solutions/README.md shows five shapes of checks to begin with")
    return 0


@command("release --branch students")
@click.option("--to", "folder", type=PATH, metavar="DIR", help="A new folder, or one of an earlier release.")
@click.option("--branch", metavar="NAME", help="A branch with a history of its own; a rerun adds one commit.")
@click.option("--weeks", multiple=True, metavar="WEEK...", help="One or more (default: all of the course's weeks).")
@click.option("--message", default="Release", help="The message of the branch's commit.")
@course_option
def release(folder: Path | None, branch: str | None, weeks: tuple[str, ...], message: str) -> int:
    """Write what students get, without solutions and hidden checks, as a folder or a branch."""
    if bool(folder) == bool(branch):
        raise click.UsageError("give either --to or --branch")
    course = the_course()
    files = tree.student_tree(course, chosen_weeks(course, weeks))
    if folder:
        tree.write_folder(files, folder)
        print(f"wrote {counted(len(files), 'file')} to {folder}")
    elif branch:
        commit = tree.commit_branch(course, files, branch, message)
        print(f"{branch}: {commit[:12]}, {counted(len(files), 'file')}" if commit else f"{branch}: nothing has changed")
    if not course.settings.repository and any(name.endswith("_work.ipynb") for name in files):
        print("note: no badge for Colab: give `repository` in course.toml, then run `lessons` and release again")
    for link in links.dead(files):
        print(f"note: a link leads to what students do not get: {link}")
    return 0


@command("package week5 --for gradescope --to autograder.zip")
@click.argument("week")
@click.option("--for", "host", type=click.Choice(("gradescope", "classroom50")), required=True, help="The host.")
@click.option(
    "--to", "target", type=PATH, required=True, metavar="PATH",
    help="gradescope: a zip to write; classroom50: a new folder.",
)  # fmt: skip
@click.option(
    "--sandbox", type=click.Choice(("bwrap", "process")), default="bwrap",
    help="process: trust the students, where the host's containers cannot run bubblewrap.",
)  # fmt: skip
@course_option
def package(week: str, host: str, target: Path, sandbox: str) -> int:
    """Bundle a week for a host that runs autograders."""
    course = the_course()
    assignment = course.assignment(week)
    if host == "gradescope":
        write_atomically(target, bundles.gradescope(course, assignment, sandbox))
        print(f"wrote {target}: upload it as the autograder; keep it private, as it holds the hidden checks")
        return 0
    files = bundles.classroom50(course, assignment, sandbox)
    tree.write_folder(files, target)
    wrote = f"wrote {counted(len(files), 'file')} to {target}"
    print(f"{wrote}: the content of autograders/SLUG/ in the classroom's repository")
    print(f"in assignments.json, the assignment can have: {bundles.CLASSROOM50_SETTINGS}")
    return 0
