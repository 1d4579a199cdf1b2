"""Runs the commands on a gradebook: `desk`, `override` and `adjustments` for what people decide, and `diff`."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from grader.batch.backend import Backend, LocalBackend
from grader.batch.deciding.applied import apply_sheet
from grader.batch.deciding.sheet import log_lines, sheet_text
from grader.batch.override import override_task
from grader.batch.pages import finish_class
from grader.cli.console import make_sandbox, the_course
from grader.cli.options import PATH, command, course_option, out_option, sandbox_option
from grader.course import Course
from grader.errors import GraderError, UsageError
from grader.escape import terminal
from grader.files import write_atomically
from grader.gradebook import open_book
from grader.gradebook.changes import changed_grades
from grader.reports.class_page import is_outdated

book_option = out_option("reports", "Where `batch` wrote the gradebook.")
who_option = click.option("--who", metavar="NAME", help="Who decides (default: the name of your account).")
_FILES = {"list": 0, "log": 0, "sheet": 1, "apply": 1, "pages": 0}  # how many files each action takes


@command("override ana week5 5.3 4 --why discussed")
@click.argument("student")
@click.argument("week")
@click.argument("task")
@click.argument("points")
@click.option(
    "--why",
    default="",
    show_default=False,
    metavar="TEXT",
    help="The reason, which the student reads; only manual parts need none.",
)
@who_option
@click.option("--alone", is_flag=True, help="Only for this student, not for others of the group with the same work.")
@book_option
def override(
    student: str, week: str, task: str, points: str, why: str, who: str | None, alone: bool, out: Path
) -> int:  # fmt: skip
    """Decide about a task or a week by hand; it holds when the week is graded again.

    STUDENT is an id, an e-mail or a name, in any letter case, with accents or without, or the name of a group.

    \b
    TASK             POINTS
    5.3              its new points; comment: the reason is a comment alone
    style            a manual part: its points, or items of its rubric: names;plots
    week             the points of the whole week; excused; comment
    bonus, penalty   points that are added to the week's, or taken off
    lateness         waived: lateness costs nothing
    any of them      back: take back what was decided (uncomment: the comment)

    Nothing has to be graded for it: points of a whole week, or of each task, are given also where work could not be
    graded or nothing was handed in.
    """
    for change in override_task(out, student, week, task, points, why, who, alone):
        print(terminal(str(change)))
    _say_outdated(out)
    return 0


@command("adjustments sheet decisions.csv")
@click.argument("action", type=click.Choice(list(_FILES)), default="list")
@click.argument("files", type=PATH, nargs=-1)
@click.option("--week", metavar="WEEK", help="sheet: only this week.")
@who_option
@book_option
def adjustments(action: str, files: tuple[Path, ...], week: str | None, who: str | None, out: Path) -> int:
    """List what people decided, and decide about many at once in a spreadsheet.

    \b
    list         what holds, a line each
    log          all that was ever decided, with who, when and why
    sheet FILE   write a CSV: what holds, and a line to fill in for each part that waits for a person
    apply FILE   decide what such a CSV says; what holds already is left alone
    pages        write the class page, which in a large class does not follow each decision

    In the CSV, `task` and `points` take what `override` does. All lines are checked first; if one is wrong, none is
    applied. A line that you delete takes nothing back: write `back` under points.
    """
    if len(files) != _FILES[action]:
        raise UsageError(f"adjustments {action} takes {_FILES[action]} files, not {len(files)}")
    if action == "apply":
        return _apply(out, files[0], who)
    if action == "pages":
        print("the class page is written anew" if finish_class(out) else "the class page shows all that was decided")
        return 0
    with open_book(out) as book:
        if action == "sheet":
            text = sheet_text(book, week)
            write_atomically(files[0], text)
            print(f"wrote {files[0]}: {text.count(chr(10)) - 1} lines")
            return 0
        held = sorted((one for own in book.decisions().values() for one in own), key=lambda one: one.at)
        lines = list(log_lines(book.all_decisions() if action == "log" else held))
    for line in lines:
        print(line)
    if not lines:
        print("nobody has decided anything")
    return 0


def _apply(out: Path, file: Path, who: str | None) -> int:
    applied = apply_sheet(out, file, who)
    for line in applied.said:
        print(line)
    for change in applied.changes:
        print(terminal(str(change)))
    print(f"decisions that hold already: {applied.kept}; students' weeks that changed: {len(applied.changes)}")
    _say_outdated(out)
    return 0


def _say_outdated(out: Path) -> None:
    if is_outdated(out):
        print(
            "grades.csv and the reports show it; the class page of so large a class does after `adjustments pages`, or "
            "the next `batch`, `export` or `desk`"
        )


@command("diff --against reports-of-monday")
@click.option("--against", type=PATH, metavar="DIR", help="An earlier run's folder (default: earlier attempts).")
@book_option
def diff(against: Path | None, out: Path) -> int:
    """Say whose grade changed, and by which checks."""
    lines = changed_grades(out, against)
    for line in lines:
        print(terminal(line) if not line.startswith("  ") else f"  {terminal(line)}")
    if not lines:
        print("no grade has changed")
    return 0


@command("desk reports/")
@click.argument("out", type=PATH, default=Path("reports"))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where it listens (0: a free port).")
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="Where it listens; beyond this machine it takes TLS, and names.",
)
@click.option("--ta", "names", multiple=True, metavar="NAME...", help="Who grades, each with an address of their own.")
@click.option("--tls-certificate", "certificate", type=PATH, metavar="FILE", help="The certificate, as PEM.")
@click.option("--tls-key", "key", type=PATH, metavar="FILE", help="Its private key, as PEM.")
@click.option("--without-tls", is_flag=True, help="Beyond this machine without TLS: something in front has to do it.")
@sandbox_option
@course_option
def desk(
    out: Path, port: int, host: str, names: tuple[str, ...], certificate: Path | None, key: Path | None,
    without_tls: bool, sandbox: str,
) -> int:  # fmt: skip
    """Grade, comment and answer in the browser, at what `batch` left in a folder.

    OUT is the folder that `batch --out` wrote. The desk runs on this machine, for you alone, until you stop it with
    Ctrl-C. It works while `batch` runs, too.
    """
    try:
        from grader.desk.serving import Where, serve  # noqa: PLC0415 - it needs optional libraries
    except ModuleNotFoundError as error:
        raise GraderError(f"desk needs {error.name}: pip install 'torch-autograder[desk]'") from None
    where = Where(host, port, certificate, key, without_tls)
    course, backend = _grading(sandbox)
    who = names or ((getpass.getuser(),) if where.is_local else ())
    with suppress(KeyboardInterrupt):  # that is how a desk is closed
        with suppress(GraderError, OSError):  # a run that has the gradebook for itself writes the page in the end
            finish_class(out)
        serve(out, where, who, lambda line: print(terminal(line), flush=True), course, backend)
    print("the desk is closed; all is kept", flush=True)
    return 0


def _grading(sandbox: str) -> tuple[Course | None, Callable[[], Backend] | None]:
    """Find the course, and what starts judges when something is graded again; without a course there is neither."""
    try:
        course = the_course()
    except GraderError as error:
        print(terminal(f"nothing can be graded again from here: {error}"), flush=True)
        return None, None
    return course, lambda: LocalBackend(course.root, make_sandbox(sandbox, "cpu"), jobs=1)
