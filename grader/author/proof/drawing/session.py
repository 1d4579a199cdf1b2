"""Runs a week's hidden checks twice, the second time on the evidence of the first: `comparison` starts it.

`python -m grader.author.proof.drawing.session ROOT WEEK` runs them on the reference, in its own process, and prints as
JSON those that pass both times. The second time the reference is not asked: what it said is handed out again.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.checks.task_mark import TaskMark
from grader.course import Assignment, Course, is_hidden
from grader.pytest_plugin import plugin
from grader.pytest_plugin.calls import Asked
from grader.pytest_plugin.local import LocalStudents
from grader.pytest_plugin.student import Student
from grader.results import CheckResult, Outcome

Told = dict[str, list[Any]]  # by check, what its probes returned, in order


class _Recorded:
    """Runs a check's probes on the reference and keeps what they return; or, given that, runs nothing."""

    def __init__(self, student: Student, told: list[Any], again: bool) -> None:
        self._student = student
        self._told = told
        self._left = deque(told) if again else None
        self.asked: Asked | None = None
        self.place = self.printed = ""

    def run(self, probe: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        if self._left is not None:
            return self._left.popleft()  # an IndexError where the check asks for more: then it has drawn something
        self._told.append(self._student.run(probe, *args, **kwargs))
        return self._told[-1]

    run_fresh = run


class _Session:
    """The pytest plugin that runs checks with one seed, and notes which of them pass."""

    def __init__(self, reference: Path, seed: int, told: Told, again: bool) -> None:
        self._students = LocalStudents(reference, seed)
        self._told, self._again = told, again
        self.passed: set[str] = set()

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[plugin.students_key] = self

    def open(self, item: pytest.Item, mark: TaskMark) -> Student:
        told = self._told.setdefault(plugin.check_id(item), [])
        return _Recorded(self._students.open(item, mark), told, self._again)

    def close(self, student: Student) -> None:
        """Do nothing: the process is the author's own."""

    def check_seed(self, item: pytest.Item) -> int:
        return self._students.check_seed(item)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        check = getattr(report, plugin.CHECK, None)
        if check and CheckResult.from_dict(check).outcome is Outcome.PASSED:
            self.passed.add(check["id"])


def run_checks(root: Path, files: Iterable[Path], session: object) -> None:
    """Run files of checks in this process, with a pytest plugin that serves them a student."""
    words = ["-c", os.devnull, "--rootdir", str(root), "--noconftest", "--import-mode=importlib", "-q", "-s"]
    without = ["no:cacheprovider", "no:grader", "no:terminalreporter"]
    plugins = [word for name in (*without, plugin.__name__) for word in ("-p", name)]
    pytest.main([*words, *plugins, *map(str, files)], plugins=[session])


def find(assignment: Assignment) -> list[str]:
    """Run the hidden checks with one seed, then with another on the first one's evidence; see `comparison`."""
    assert assignment.hidden_folder is not None
    files = [file for file in assignment.check_files if is_hidden(file)]
    told: Told = {}
    sessions = [_Session(assignment.hidden_folder, seed, told, again=seed > 1) for seed in (1, 2)]
    for session in sessions:
        run_checks(assignment.root, files, session)
    first, second = sessions
    return sorted(name for name in first.passed & second.passed if _holds_numbers(told.get(name, [])))


def _holds_numbers(evidence: Any) -> bool:
    """Tell whether there is a fraction in evidence, alone or in an array."""
    if isinstance(evidence, Mapping):
        return any(map(_holds_numbers, evidence.values()))
    if isinstance(evidence, (list, tuple)):
        return any(map(_holds_numbers, evidence))
    kind = str(getattr(evidence, "dtype", ""))
    return isinstance(evidence, float) or "float" in kind or "complex" in kind


if __name__ == "__main__":
    print(json.dumps(find(Course(Path(sys.argv[1])).assignment(sys.argv[2]))))
