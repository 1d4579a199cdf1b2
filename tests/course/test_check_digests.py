"""A change to an assignment touches the checks that can come out differently, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course import Course
from grader.course.check_digests import check_digests, unchanged

TOML = 'title = "One"\nweek = "week1"\nmodules = ["work"]\n'
PUBLIC = '''"""Checks."""
import torch
from grader.checks import load_probes, task

probes = load_probes(__file__)
LIMIT, OTHER = 3, 4

def helper(n):
    return n + LIMIT

@task("1.1", points=1, title="one")
def test_one(student):
    assert student.run(probes.one, helper(1)) == 4

@task("1.2", points=1, title="two")
def test_two(student):
    assert student.run(probes.of, "two") == OTHER

@task("1.4", points=1, title="any")
def test_any(student):
    assert student.run(probes.any)
'''
PROBES = """def one(student, n):
    return inner(student, n)

def inner(student, n):
    return student.work.one(n)

def of(student, name):
    return WAYS[name](student)

def two(student):
    return student.work.two()

WAYS = {"two": two}

def any(student):
    return [eval(name) for name in student.names]
"""
HIDDEN = """from grader.checks import load_beside, task

oracle = load_beside(__file__, "work")

@task("1.3", points=1, title="three")
def test_three(student):
    assert oracle
"""
ONE, TWO, THREE = "test_week1.py::test_one", "test_week1.py::test_two", "test_hidden.py::test_three"
ANY = "test_week1.py::test_any"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    files = {
        "assignments/week1/assignment.toml": TOML,
        "assignments/week1/test_week1.py": PUBLIC,
        "assignments/week1/probes.py": PROBES,
        "solutions/week1/test_hidden.py": HIDDEN,
        "solutions/week1/work.py": "def one(n):\n    return n\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def touched(course: Path, file: str, old: str, new: str, but_any: bool = True) -> set[str]:
    before = check_digests(Course(course).assignment("week1"))
    assert set(before) == {ONE, TWO, THREE, ANY}
    text = (course / file).read_text()
    assert old in text
    (course / file).write_text(text.replace(old, new, 1))
    now = check_digests(Course(course).assignment("week1"))
    return set(now) - unchanged(now, before, now) - ({ANY} if but_any else set())


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("helper(1)) == 4", "helper(1)) == 5", {ONE}),
        ("points=1, title=\"two\"", "points=2, title=\"two\"", {TWO}),
        ("return n + LIMIT", "return n - LIMIT", {ONE}),
        ("LIMIT, OTHER = 3", "LIMIT, OTHER = 2", {ONE, TWO}),
        ("import torch\n", "import torch\ntorch.manual_seed(1)\n", {ONE, TWO}),
        ("import torch\n", "import torch\nfrom math import *\n", {ONE, TWO}),
        ("import torch\n", "import torch  # of course\n\n", set()),
        ('"""Checks."""', '"""All checks."""', set()),
        ("def helper", "@pytest.fixture(autouse=True)\ndef warm():\n    ...\n\ndef helper", {ONE, TWO}),
        ("def helper", "def unused():\n    ...\n\ndef helper", set()),
    ],
)  # fmt: skip
def test_what_a_check_names_touches_it(course: Path, old: str, new: str, want: set[str]) -> None:
    # Names are followed across the files of hidden checks as well, so that one of them may share a helper.
    assert touched(course, "assignments/week1/test_week1.py", old, new) - {THREE} == want


def test_where_names_are_computed_every_helper_and_probe_counts(course: Path) -> None:
    assert ANY in touched(course, "assignments/week1/probes.py", "student.work.one", "student.work.uno", but_any=False)
    helper = ("return n + LIMIT", "return n - LIMIT")
    assert ANY in touched(course, "assignments/week1/test_week1.py", *helper, but_any=False)
    other = ("helper(1)) == 4", "helper(1)) == 5")
    assert ANY not in touched(course, "assignments/week1/test_week1.py", *other, but_any=False)


def test_a_probe_touches_the_checks_that_run_it_even_through_a_table(course: Path) -> None:
    assert touched(course, "assignments/week1/probes.py", "student.work.one", "student.work.uno") == {ONE}
    assert touched(course, "assignments/week1/probes.py", "student.work.two", "student.work.due") == {TWO}


def test_the_reference_touches_the_hidden_checks_alone(course: Path) -> None:
    assert touched(course, "solutions/week1/work.py", "return n", "return 1 * n") == {THREE}


def test_limits_touch_every_check_and_a_due_date_none(course: Path) -> None:
    file = "assignments/week1/assignment.toml"
    assert touched(course, file, "title", "due = 2026-10-05T23:59:00+02:00\ntitle") == set()
    assert touched(course, file, '["work"]\n', '["work"]\n[limits]\nseconds = 9\n') == {ONE, TWO, THREE}


def test_a_new_check_runs_and_parameters_follow_their_check() -> None:
    assert unchanged(["a::t[0]", "a::t[1]", "a::new"], {"a::t": "1"}, {"a::t": "1", "a::new": "2"}) == {
        "a::t[0]",
        "a::t[1]",
    }
