"""A session of checks in a process leaves nothing behind that a later session would take for its own checks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from grader.course import Course
from grader.kernel.session import run_checks
from grader.pytest_plugin.local import LocalStudents
from tests.support.courses import copied
from tests.support.makers import install_plugin, put

CHECKS = "assignments/week1/test_week1.py"


def told(root: Path, work: Path) -> list[tuple[str, str]]:
    """Return each check's title and outcome."""
    results = run_checks(Course(root).assignment("week1"), LocalStudents(work, 0))
    return [(check.title, check.outcome) for check in results]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    put(tmp_path / "work/work.py", b"def double(n):\n    return 2 * n\n")
    return tmp_path / "work"


def test_checks_that_changed_are_read_anew(tmp_path: Path, work: Path) -> None:
    root = copied("one_check", tmp_path)
    assert told(root, work) == [("Twice a number", "passed")]
    changed = (root / CHECKS).read_text(encoding="utf-8").replace("Twice a number", "Double")
    (root / CHECKS).write_text(changed, encoding="utf-8")
    assert told(root, work) == [("Double", "passed")]


def test_another_course_with_a_week_of_the_same_name_has_its_own_checks(tmp_path: Path, work: Path) -> None:
    first, second = (copied(course, tmp_path / course) for course in ("one_check", "fatal"))
    assert [title for title, _ in told(first, work)] == ["Twice a number"]
    assert len(told(second, work)) > 1
    assert not [name for name in sys.modules if name.partition(".")[0] == "assignments"]


@pytest.mark.parametrize("name", ["assignments", "assignments.week1", "assignments.week1.test_week1"])
def test_what_was_imported_before_stays_and_is_not_taken_for_the_checks(
    tmp_path: Path, work: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, kept)
    assert told(copied("one_check", tmp_path), work) == [("Twice a number", "passed")]
    assert sys.modules[name] is kept


def test_plugins_that_somebody_has_installed_change_nothing(
    tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_plugin(tmp_path / "installed", "def pytest_collection_modifyitems(items):\n    items.clear()\n")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    before = dict(os.environ)
    assert told(copied("one_check", tmp_path), work) == [("Twice a number", "passed")]
    assert dict(os.environ) == before
