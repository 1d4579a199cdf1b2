"""A mutant is spared the checks that it cannot touch, and no other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from grader.author.proof import trials
from grader.author.proof.drawing import beside
from grader.author.proof.touching import Sparing, changes
from grader.author.proof.trials import Subject, Trial
from grader.course import Assignment, Course
from grader.results import CheckResult, Outcome, Report
from tests.support import warm
from tests.support.courses import copied

SOURCE = b"""
import math

SIZE = 3


def half(n: int) -> int:
    return n // 2


class Net:
    depth = 2

    def forward(self, n):
        def inner():
            return n + 1
        return inner()
"""


@pytest.mark.parametrize(
    ("find", "replace", "changed"),
    [
        ("n // 2", "n / 2", {"half"}),
        ("n + 1", "n + 2", {"Net.forward"}),
        ("n // 2", "n  //  2  # the same", set()),
        ("SIZE = 3", "SIZE = 4", None),
        ("n: int", "n: float", None),
        ("depth = 2", "depth = 3", None),
        ("    def forward", "    @staticmethod\n    def forward", None),
        ("def half", "def halve", None),
        ("return n // 2", "return (", None),
        ("return n // 2", "break", None),  # what parses, and does not compile
        ("return n // 2", "yield n // 2", None),
        ("return n // 2", '"""Halve."""\n    return n // 2', None),
        ("return n // 2", "return 'a\\d'", {"half"}),  # Python warns of it
    ],
)
def test_a_change_is_of_functions_or_of_more(find: str, replace: str, changed: set[str] | None) -> None:
    assert find.encode() in SOURCE
    assert changes.changed_functions(SOURCE, SOURCE.replace(find.encode(), replace.encode())) == changed


def test_two_functions_of_one_name_are_never_told_apart() -> None:
    twice = b"def f():\n    return 1\n\n\ndef f():\n    return 2\n"
    assert changes.changed_functions(twice, twice.replace(b"2", b"3")) is None


PROBES = """
import inspect
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path


def doubled(student, n):
    return student.work.double(n)


def named(student):
    return student.work.NAMES


def read(student):
    return inspect.getsource(student.work.double)


def forked(student):
    if not (child := os.fork()):
        student.work.double(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def opened(student):
    return Path(student.work.__file__).read_text()


def started(student):
    return subprocess.run([sys.executable, "-c", ""]).returncode


def spawned(student):
    process = multiprocessing.get_context("forkserver").Process(target=print)
    process.start()
    process.join()
    return process.exitcode


def profiled(student):
    sys.setprofile(None)
    return student.work.double(3)
"""
CHECKS = """
import pytest
from grader.checks import expect, load_probes, task

probes = load_probes(__file__)


@task("1.1", points=1, title="t", hint="h")
def test_double(student, rng):
    expect.integer(student.run(probes.doubled, 3), 6, "double")


@task("1.2", points=1, title="t", hint="h")
def test_again(student, rng):
    expect.integer(student.run(probes.doubled, 3), 6, "double")


@task("1.3", points=1, title="t", hint="h")
def test_names(student, rng):
    expect.equal(student.run(probes.named), ["a"], "names")


@task("1.4", points=1, title="t", hint="h")
def test_read(student, rng):
    expect.true("def" in student.run(probes.read), "no source")


@task("1.5", points=1, title="t", hint="h")
def test_forked(student, rng):
    expect.integer(student.run(probes.forked), 0, "status")


@task("1.6", points=1, title="t", hint="h")
def test_opened(student, rng):
    expect.true("def" in student.run(probes.opened), "no source")


@task("1.7", points=1, title="t", hint="h")
def test_started(student, rng):
    expect.integer(student.run(probes.started), 0, "status")


@task("1.8", points=1, title="t", hint="h")
def test_spawned(student, rng):
    expect.integer(student.run(probes.spawned), 0, "status")


@task("1.9", points=1, title="t", hint="h")
def test_served(student, rng):
    expect.integer(student.run(probes.spawned), 0, "status")


@task("1.10", points=1, title="t", hint="h")
def test_profiled(student, rng):
    expect.integer(student.run(probes.profiled), 6, "double")


@pytest.fixture
def six(student):
    return student.run(probes.doubled, 3)


@task("1.11", points=1, title="t", hint="h")
def test_fixed(six, student):
    expect.integer(six, 6, "double")
"""
WORK = """import functools

NAMES = ["a"]


@functools.cache
def double(n):
    return helper(n)


def helper(n):
    return n + n
"""


@pytest.fixture(scope="module")
def week1(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    files = {
        "assignments/week1/probes.py": PROBES,
        "assignments/week1/test_week1.py": CHECKS,
        "solutions/week1/work.py": WORK,
        "solutions/week1/test_hidden.py": '"""Nothing is hidden."""\n',
    }
    return Course(copied("one_check", tmp_path_factory.mktemp("touching"), files)).assignment("week1")


def test_a_check_is_told_what_it_enters_whoever_came_before_it_and_left_out_where_not_all_is_seen(
    week1: Assignment,
) -> None:
    command, environment = beside("grader.author.proof.touching.session", week1)  # its modules must not stay in here
    done = warm.run([*command, "0"], env=environment)
    assert done.returncode == 0, done.stderr
    traced = json.loads(done.stdout.strip().rpartition("\n")[2])
    found = {name.partition("::test_")[2]: functions for name, functions in traced.items()}
    entered = ["work.py:<module>", "work.py:double", "work.py:helper"]
    assert found == {"double": entered, "again": entered, "fixed": entered, "names": ["work.py:<module>"]}


@pytest.fixture(scope="module")
def sparing(week1: Assignment) -> Iterator[Sparing]:
    with Sparing(week1) as sparing:
        yield sparing


def result(name: str, outcome: Outcome = Outcome.PASSED) -> CheckResult:
    return CheckResult(f"test_week1.py::test_{name}", "1.1", "t", False, 1, 1, outcome)


def test_the_references_results_stand_for_what_a_mutant_cannot_touch(sparing: Sparing) -> None:
    def spared(source: str, kind: str = trials.MUTANT, seed: int = 0) -> set[str]:
        found = sparing.checks_of(Subject(kind, "m", {"work.py": source.encode()}, seed))
        return {check.id.partition("::test_")[2] for check in found}

    wrong = WORK.replace("n + n", "n * n")
    assert spared(wrong) == set()  # nothing is known of the reference yet
    names = ("double", "again", "names", "read", "forked")
    report = Report("r", "week1", 0, "g", "s", "a", tuple(map(result, names)))
    sparing.learn(Trial(Subject(trials.REFERENCE, "week1", {}, seed=1), report))
    assert spared(wrong) == set()  # that was another seed
    sparing.learn(Trial(Subject(trials.REFERENCE, "week1", {}), report))
    assert spared(wrong) == {"names"}
    assert spared(WORK.replace('["a"]', '["b"]')) == set()
    assert spared(WORK) == {"double", "again", "names"}
    assert spared(wrong, kind=trials.VARIANT) == spared(wrong, seed=1) == set()
    failing = Report("r", "week1", 0, "g", "s", "a", (result("names", Outcome.FAILED),))
    sparing.learn(Trial(Subject(trials.REFERENCE, "week1", {}), failing))
    assert spared(wrong) == set()
