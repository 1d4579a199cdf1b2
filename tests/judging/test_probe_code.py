"""What of a module of probes goes to a student's process, and which checks are told to come late for that."""

from __future__ import annotations

import marshal
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import pytest

from grader.checks import load_probes
from grader.judging.probe_code import code_of, helps

PROBES = '''
"""Probes."""
import math
from contextlib import contextmanager
SCALE: float = 2.0
LOW, HIGH = 1, 3
SECRET = "of another probe"
UNUSED, (INNER, _) = 0, (4, 5)

def right_twice(own):
    return lambda number: 2 * number

class Recorder:
    limit = HIGH

def scaled(number):
    return SCALE * math.floor(number)

def twice(student, number):
    return student.work.twice(scaled(number)), Recorder.limit

def both(student, number):
    with student.instead("work", twice=right_twice):
        return student.work.both(number)

@contextmanager
def right_block(work):
    yield

def block(student):
    with right_block(student.work):
        return INNER

@contextmanager
def swapped(student):
    with student.instead("work", twice=lambda number: 2 * number):
        yield

def decorated(student):
    with swapped(student):
        return student.work.both(1)

class Inside:
    def ask(self, student):
        with student.instead("work", twice=abs):
            return student.work.both(1)

def method(student):
    return Inside().ask(student)
'''
CHECKS = """
from grader.checks import load_probes
probes = load_probes(__file__)
def plain(student):
    assert helper(student)
def helper(student):
    return student.run(probes.twice, 1)
def helped(student):
    return [student.run(probes.both, 1) for _ in range(2)]
def patched(student):
    student.run_fresh(probes.block)
def decorated(student):
    student.run(probes.decorated)
def method(student):
    student.run(probes.method)
"""


@pytest.fixture
def probe_file(tmp_path: Path) -> Path:
    file = tmp_path / "week1" / "probes.py"
    file.parent.mkdir()
    file.write_text(PROBES)
    return file


def defined(file: Path, probe: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(marshal.loads(code_of(file, probe)), names)
    return names


def test_a_probe_is_sent_with_what_it_calls_and_nothing_else_of_its_module(probe_file: Path) -> None:
    names = defined(probe_file, "twice")
    student = SimpleNamespace(work=SimpleNamespace(twice=lambda number: -number))
    assert names["twice"](student, 1.5) == (-2.0, 3)
    assert not {"right_twice", "both", "right_block", "block", "SECRET", "INNER"} & names.keys()
    assert {"math", "contextmanager"} <= names.keys()  # an import may be there for what it does


def test_a_helper_is_sent_with_the_probe_that_puts_it_to_work(probe_file: Path) -> None:
    assert "right_twice" in defined(probe_file, "both")
    assert {"right_block", "INNER"} <= defined(probe_file, "block").keys()


def test_lines_stay_where_they_are_in_the_file(probe_file: Path) -> None:
    twice = defined(probe_file, "twice")["twice"]
    assert isinstance(twice, FunctionType)
    line = PROBES.splitlines()[twice.__code__.co_firstlineno - 1]
    assert line == "def twice(student, number):"


@pytest.mark.parametrize(
    ("check", "expected"),
    [("plain", False), *((one, True) for one in ("helped", "patched", "decorated", "method"))],
)
def test_a_check_whose_probes_help_is_known(probe_file: Path, check: str, expected: bool) -> None:
    file = probe_file.with_name("test_week1.py")
    names: dict[str, Any] = {"__file__": str(file)}
    assert load_probes(str(file)).__file__ == str(probe_file)
    exec(compile(CHECKS, str(file), "exec"), names)
    assert helps(names[check]) is expected
