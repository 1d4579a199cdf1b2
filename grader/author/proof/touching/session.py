"""Runs a week's checks on the reference, and notes which functions of it each of them enters: `sparing` starts it.

`python -m grader.author.proof.touching.session ROOT WEEK SEED` draws what a judge draws under that seed, and prints as
JSON, for each check that passes, the functions as `file.py:Class.method`. A check that starts processes, reads sources
or takes the profiler away is left out, as not all that it uses is seen.
"""

from __future__ import annotations

import inspect
import json
import linecache
import os
import sys
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from grader.author.proof.drawing.session import run_checks
from grader.checks.task_mark import TaskMark
from grader.course import Assignment, Course
from grader.inside import probing
from grader.pytest_plugin import plugin
from grader.pytest_plugin.local import LocalStudents
from grader.pytest_plugin.seeds import check_seed
from grader.pytest_plugin.student import Student
from grader.results import CheckResult, Outcome

_SOURCES = frozenset(("getsource", "getsourcelines", "findsource", "getlines", "getline"))
_READERS = frozenset((inspect.__file__, linecache.__file__))
_PROGRAMS = frozenset(("fork_exec", "posix_spawn", "posix_spawnp"))  # by which Python starts a program
_START = BaseProcess.start.__code__  # it may ask a server of processes that an earlier check has started


def _is_in_probe(frame: FrameType | None) -> bool:
    """Tell whether something is called by a probe, and not by pytest, Hypothesis or an import around it."""
    while frame is not None and frame.f_code.co_filename != probing.__file__:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return False
        frame = frame.f_back
    return frame is not None


class _Judged(LocalStudents):
    """Draws what a judge draws, and imports the modules anew for each check, so that nothing is left of another."""

    def __init__(self, reference: Path, seed: int, salt: bytes) -> None:
        super().__init__(reference, seed)
        self._drawn_from = salt, seed

    def open(self, item: pytest.Item, mark: TaskMark) -> Student:
        self.end()
        return super().open(item, mark)

    def check_seed(self, item: pytest.Item) -> int:
        return check_seed(*self._drawn_from, plugin.check_id(item))


class Tracing:
    """The pytest plugin that runs checks on the reference, and notes what of it each of them enters."""

    def __init__(self, assignment: Assignment, seed: int) -> None:
        assert assignment.hidden_folder is not None
        self._folder = f"{assignment.hidden_folder.resolve()}{os.sep}"
        self._students = _Judged(assignment.hidden_folder, seed, assignment.salt)
        self._entered: set[CodeType] = set()
        self._unseen = False
        self._passed = ""
        self.found: dict[str, list[str]] = {}
        os.register_at_fork(before=self._lose_sight)
        sys.addaudithook(self._hear)

    def _lose_sight(self) -> None:
        self._unseen = True

    def _hear(self, event: str, about: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(about[0], str) and about[0].startswith(self._folder):
            self._unseen = self._unseen or _is_in_probe(sys._getframe(1))

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[plugin.students_key] = self._students

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Any:
        """Watch a check with its fixtures, which may run probes as well."""
        self._entered, self._unseen, self._passed = set(), False, ""
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        try:
            return (yield)
        finally:
            self._unseen = self._unseen or sys.getprofile() != self._note
            sys.setprofile(None)
            threading.setprofile(None)
            if self._passed and not self._unseen:
                self.found[self._passed] = sorted({self._name(code) for code in self._entered})

    def _note(self, frame: FrameType, event: str, about: Any) -> None:
        if event == "call":
            code = frame.f_code
            if code.co_filename.startswith(self._folder):
                self._entered.add(code)
            elif code is _START:
                self._unseen = True
            elif code.co_name in _SOURCES and code.co_filename in _READERS:
                self._unseen = self._unseen or _is_in_probe(frame)
        elif event == "c_call" and about.__name__ in _PROGRAMS:
            self._unseen = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        check = getattr(report, plugin.CHECK, None)
        if check and CheckResult.from_dict(check).outcome is Outcome.PASSED:
            self._passed = check["id"]

    def _name(self, code: CodeType) -> str:
        outer = code.co_qualname.partition(".<locals>")[0]
        return f"{code.co_filename.removeprefix(self._folder).replace(os.sep, '/')}:{outer}"


def trace(assignment: Assignment, seed: int) -> dict[str, list[str]]:
    """Return for each check that passes the functions of the reference that it enters."""
    tracing = Tracing(assignment, seed)
    run_checks(assignment.root, assignment.check_files, tracing)
    return tracing.found


if __name__ == "__main__":
    print(json.dumps(trace(Course(Path(sys.argv[1])).assignment(sys.argv[2]), int(sys.argv[3]))))
