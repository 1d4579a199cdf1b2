"""Adds `%check`, `%score` and `%submit` to IPython, and finds out which week is meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from grader.course import Assignment, Course, find_course, is_hidden
from grader.errors import GraderError, UsageError
from grader.kernel import shown
from grader.kernel.cells import KernelStudents
from grader.kernel.session import run_checks
from grader.language import chosen, speaking, spoken
from grader.language.texts import readable_texts
from grader.reports.words import week_title

_TASK = r"\d+(?:\.\d+)+"


class Desk:
    """Serves one notebook's magics. It keeps the week that was asked for last."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._week = ""

    def check(self, line: str) -> None:
        """`%check 5.3`: run a task's public checks on what the kernel holds."""
        tasks = line.split()
        if not tasks or not all(re.fullmatch(_TASK, task) for task in tasks):
            raise UsageError("name a task, as in: %check 5.3")
        for task in tasks:
            course = find_course()
            assignment = week_of_task(course, task)
            self._week = assignment.week
            with _speaking_of(assignment):
                self._show(shown.checks(run_checks(assignment, self._students(), task), course.settings.contact))

    def score(self, line: str) -> None:
        """`%score week5`: run a week's public checks, and show the points by task and what to do next."""
        assignment = self._assignment(line.strip())
        with _speaking_of(assignment):
            results = run_checks(assignment, self._students())
            self._show(shown.score(results, assignment.week, week_title(assignment.week)))

    def submit(self, line: str) -> None:
        """`%submit week5`: write the file to hand in, and check what it holds."""
        from grader.kernel import handing_in  # noqa: PLC0415 - it reads submissions, which not every system can

        assignment = self._assignment(line.strip())
        if assignment.week not in find_course().assignments():
            raise UsageError(f"{assignment.week} is not graded, so there is nothing to hand in; see: %score")
        with _speaking_of(assignment):
            self._show(handing_in.write(self._shell, self._students(), assignment, Path.cwd()))

    def _students(self) -> KernelStudents:
        return KernelStudents(self._shell)

    def _assignment(self, week: str) -> Assignment:
        course = find_course()
        found = course.part(week or self._week or week_of_names(course, set(self._shell.user_ns)))
        self._week = found.week
        return found

    def _show(self, what: shown.Shown) -> None:
        from IPython.display import display  # noqa: PLC0415 - it is there wherever a magic runs

        display(what)


def _speaking_of(week: Assignment) -> AbstractContextManager[None]:
    """Say the sentences of a week's checks in the language that is spoken."""
    return speaking(spoken(), readable_texts([week.folder], spoken()))


def week_of_task(course: Course, task: str) -> Assignment:
    """Return the week or the chapter that has public checks of a task."""
    mark = re.compile(rf"@task\(\s*[\"']{re.escape(task)}[\"']")
    for assignment in (*course.assignments().values(), *course.chapters().values()):
        files = (file for file in assignment.check_files if not is_hidden(file))
        if any(mark.search(file.read_text(encoding="utf-8")) for file in files):
            return assignment
    raise UsageError(f"no check belongs to task {task}; the weeks here are {', '.join(course.assignments())}")


def week_of_names(course: Course, names: set[str]) -> str:
    """Return the week of which a kernel defines most names; `UsageError` where none is ahead."""
    parts = {**course.assignments(), **course.chapters()}
    counts = {week: len(one.all_names & names) for week, one in parts.items()}
    most = max(counts.values(), default=0)
    first = [week for week, count in counts.items() if count == most]
    if most and len(first) == 1:
        return first[0]
    raise UsageError(f"which week? name one of {', '.join(counts)}, as in: %score {next(iter(counts), 'week1')}")


def load(shell: Any) -> None:
    """Add the magics to an IPython shell."""
    desk = Desk(shell)
    for magic in (desk.check, desk.score, desk.submit):
        shell.register_magic_function(_in_words(magic), magic_kind="line", magic_name=magic.__name__)


def _in_words(magic: Callable[[str], None]) -> Callable[[str], None]:
    """Have an error of ours be a line in the notebook, without a traceback."""
    from IPython.core.error import UsageError as Told  # noqa: PLC0415 - IPython runs this

    def told(line: str) -> None:
        try:
            with speaking(chosen(None, find_course().settings.language)):
                magic(line)
        except GraderError as error:
            raise Told(str(error)) from None

    told.__doc__ = magic.__doc__
    return told
