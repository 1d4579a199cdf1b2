"""Runs a week's public checks by pytest in this process, and leaves the kernel as it was."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

from grader.course import Assignment, is_hidden
from grader.errors import CourseError
from grader.inside.generators import generators_kept
from grader.inside.importing.settings import settings_kept
from grader.kernel.cells import History
from grader.pytest_plugin import plugin, shut_out
from grader.results import CheckResult, told_once

# Plugins that print, write files, or change the process for the rest of its life.
_UNUSED = (
    *("cacheprovider", "xdist", "terminalreporter", "grader", "logging", "doctest", "unittest", "faulthandler"),
    *("threadexception", "unraisableexception", "warnings", "junitxml", "pastebin", "debugging"),
)


class Students(plugin.Students, Protocol):
    """Provides what is checked, for one session."""

    def end(self) -> None:
        """Forget it again."""
        ...


class Session:
    """The pytest plugin that gives checks their submission, and collects the results."""

    def __init__(self, students: plugin.Students) -> None:
        self.results: list[CheckResult] = []
        self.problems: list[str] = []
        self._students = students

    def pytest_configure(self, config: pytest.Config) -> None:
        """Put the kernel, or what else is checked, in the place of the working copy."""
        config.stash[plugin.students_key] = self._students

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why checks cannot be collected."""
        if report.failed:
            self.problems.append(report.longreprtext)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Keep the results, each cause told once."""
        scores = session.config.stash[plugin.scores_key]
        self.results = list(told_once(scores.results.values()))


def run_checks(assignment: Assignment, students: Students, task: str = "") -> list[CheckResult]:
    """Run a week's public checks, or those of one task. `CourseError` where they cannot be collected."""
    session = Session(students)
    files = [file for file in assignment.check_files if not is_hidden(file)]
    with _kernel_kept(assignment.root), _checks_forgotten(assignment.root, files):
        try:
            status = pytest.main(_arguments(assignment.root, files, task), plugins=[session])
        finally:
            students.end()
    if session.problems:
        raise CourseError(f"{assignment.week}: the checks cannot be read:\n{session.problems[0]}")
    if status == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if not session.results:
        raise CourseError(f"{assignment.week}: no check ran (pytest ended with status {int(status)})")
    history = getattr(students, "history", None)
    return [in_words(check, history) for check in session.results] if history else session.results


def in_words(check: CheckResult, history: History) -> CheckResult:
    """Name cells where the result names the compiler's files."""
    message, place, output = (history.in_words(text) for text in (check.message, check.place, check.output))
    return replace(check, message=message, place=place, output=output)


def _arguments(root: Path, files: list[Path], task: str) -> list[str]:
    fixed = ["-c", os.devnull, "--rootdir", str(root), "--noconftest", "--import-mode=importlib", "-q", "-s"]
    for name in _UNUSED:
        fixed += ["-p", f"no:{name}"]
    chosen = ["--grader-task", task] if task else []
    return [*fixed, "-p", "grader.pytest_plugin.plugin", *chosen, *(str(file) for file in files)]


@contextmanager
def _checks_forgotten(root: Path, files: list[Path]) -> Iterator[None]:
    """Leave no module of the checks behind: pytest would take it for checks that changed since, or another course's."""
    checks = [".".join(file.relative_to(root).with_suffix("").parts) for file in files]  # as pytest names them
    tops = {name.partition(".")[0] for name in checks}

    def there() -> dict[str, ModuleType]:
        return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in tops}

    before = there()
    for name in checks:
        sys.modules.pop(name, None)
    try:
        yield
    finally:
        for name in there():
            del sys.modules[name]
        sys.modules.update(before)


@contextmanager
def _kernel_kept(root: Path) -> Iterator[None]:
    """Leave generators, settings, the import path and the figures of a kernel as they were."""
    path, environment = list(sys.path), dict(os.environ)
    shut_out(os.environ)
    with generators_kept(), settings_kept(), _figures_kept():
        warnings.simplefilter("ignore")
        _set_as_for_the_grade()
        if str(root) not in sys.path:
            sys.path.append(str(root))  # for `fixtures`
        try:
            yield
        finally:
            sys.path[:] = path
            for name in os.environ.keys() - environment:
                del os.environ[name]
            os.environ.update(environment)


def _set_as_for_the_grade() -> None:
    """Set torch as a new process has it: a notebook may have chosen a GPU or another dtype for all that it makes."""
    import torch  # noqa: PLC0415 - a name for these lines

    torch.set_num_threads(1)  # sums come out the same
    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)


@contextmanager
def _figures_kept() -> Iterator[None]:
    """Close the figures that the block makes: a notebook shows at a cell's end whatever is open."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - slow to import

    before = set(plt.get_fignums())
    try:
        yield
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)
