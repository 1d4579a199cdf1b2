"""A judge runs first the checks that share a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.judging.judge import running_order

CHECKS = """
from hypothesis import given, strategies as st
from grader.checks import task

@task("1.1", points=1, title="a")
def test_afresh(student):
    student.run_fresh(print)

@task("1.2", points=1, title="b")
def test_plain(student):
    student.run(print)

@task("1.3", points=1, title="c")
def test_by_a_helper(student):
    helper(student)

@task("1.4", points=1, title="d", needs=("1.3",))
def test_that_needs_it(student):
    student.run(print)

@task("1.5", points=1, title="e")
@given(n=st.integers())
def test_drawn(student, n):
    [helper(student) for _ in range(n)]

@task("1.6", points=1, title="f", needs=("1.2",))
def test_last(student):
    again(student)

def helper(student):
    student.run_fresh(print)

def again(student):
    again(student) or student.run(print)
"""


def test_public_checks_all_come_before_the_first_hidden_one(tmp_path: Path) -> None:
    (tmp_path / "test_week1.py").write_text(CHECKS)
    (tmp_path / "test_hidden.py").write_text(CHECKS)
    order = order_of(tmp_path)
    assert [file for file, _ in order] == ["test_week1.py"] * 6 + ["test_hidden.py"] * 6
    assert [name for _, name in order[:6]] == [name for _, name in order[6:]]


def test_checks_that_ask_for_processes_of_their_own_come_last(tmp_path: Path) -> None:
    (tmp_path / "test_week1.py").write_text(CHECKS)
    order = [name for _, name in order_of(tmp_path)]
    shared, own = order[:2], order[2:]
    assert shared == ["test_plain", "test_last"]
    assert own == ["test_afresh", "test_by_a_helper", "test_that_needs_it", "test_drawn"]


def test_checks_that_run_with_right_helpers_come_behind_those_without(tmp_path: Path) -> None:
    """A helper that the code has met, and kept, could answer for its own task."""
    probes = "def plain(student):\n    pass\n\ndef helped(student):\n    with student.instead('a'):\n        pass\n"
    (tmp_path / "probes.py").write_text(probes)
    head = "from grader.checks import load_probes, task\nprobes = load_probes(__file__)\n"
    checks = {"first": "helped", "second": "plain", "third": "helped", "fourth": "plain"}
    bodies = [
        f"@task('1.{number}', points=1, title='{name}', needs={('1.3',) * (name == 'fourth')})\n"
        f"def test_{name}(student):\n    student.run(probes.{probe})\n"
        for number, (name, probe) in enumerate(checks.items(), 1)
    ]
    (tmp_path / "test_week2.py").write_text(head + "\n".join(bodies))
    assert [name for _, name in order_of(tmp_path)] == ["test_second", "test_first", "test_third", "test_fourth"]


def order_of(folder: Path) -> list[tuple[str, str]]:
    """File and name of each check of a folder, in the order of running."""
    order: list[tuple[str, str]] = []

    class Collected:
        def pytest_runtestloop(self, session: pytest.Session) -> bool:
            order.extend((item.path.name, item.name) for item in running_order(session.items))
            return True

    arguments = [str(folder), "--rootdir", str(folder), "-p", "no:cacheprovider", "--import-mode=importlib"]
    assert pytest.main(arguments, plugins=[Collected()]) == 0
    return order
