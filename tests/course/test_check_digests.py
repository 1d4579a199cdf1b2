"""A change to an assignment touches the checks that can come out differently, and no others."""

from __future__ import annotations

import pytest

from grader.course import Course
from grader.course.check_digests import check_digests, unchanged

ONE, TWO, THREE = "test_week5.py::test_one", "test_week5.py::test_two", "test_hidden.py::test_three"
ANY = "test_week5.py::test_any"


def touched(course: Course, file: str, old: str, new: str, but_any: bool = True) -> set[str]:
    before = check_digests(course.assignment("week5"))
    assert set(before) == {ONE, TWO, THREE, ANY}
    text = (course.root / file).read_text()
    assert old in text
    (course.root / file).write_text(text.replace(old, new, 1))
    now = check_digests(course.assignment("week5"))
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
def test_what_a_check_names_touches_it(whole_course: Course, old: str, new: str, want: set[str]) -> None:
    # Names are followed across the files of hidden checks as well, so that one of them may share a helper.
    assert touched(whole_course, "assignments/week5/test_week5.py", old, new) - {THREE} == want


def test_where_names_are_computed_every_helper_and_probe_counts(whole_course: Course) -> None:
    assert ANY in touched(
        whole_course, "assignments/week5/probes.py", "student.lenet.one", "student.lenet.uno", but_any=False
    )
    helper = ("return n + LIMIT", "return n - LIMIT")
    assert ANY in touched(whole_course, "assignments/week5/test_week5.py", *helper, but_any=False)
    other = ("helper(1)) == 4", "helper(1)) == 5")
    assert ANY not in touched(whole_course, "assignments/week5/test_week5.py", *other, but_any=False)


def test_a_probe_touches_the_checks_that_run_it_even_through_a_table(whole_course: Course) -> None:
    assert touched(whole_course, "assignments/week5/probes.py", "student.lenet.one", "student.lenet.uno") == {ONE}
    assert touched(whole_course, "assignments/week5/probes.py", "student.lenet.two", "student.lenet.due") == {TWO}


def test_the_reference_touches_the_hidden_checks_alone(whole_course: Course) -> None:
    assert touched(whole_course, "solutions/week5/lenet.py", "return n", "return 1 * n") == {THREE}


def test_limits_touch_every_check_and_a_due_date_none(whole_course: Course) -> None:
    file = "assignments/week5/assignment.toml"
    assert touched(whole_course, file, "title", "due = 2026-10-05T23:59:00+02:00\ntitle") == set()
    assert touched(whole_course, file, '["lenet"]\n', '["lenet"]\n[limits]\nseconds = 9\n') == {ONE, TWO, THREE}


def test_a_new_check_runs_and_parameters_follow_their_check() -> None:
    assert unchanged(["a::t[0]", "a::t[1]", "a::new"], {"a::t": "1"}, {"a::t": "1", "a::new": "2"}) == {
        "a::t[0]",
        "a::t[1]",
    }
