"""What stands beside a check file is loaded from there, whatever else this process has loaded by the same name."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checks import load_beside, load_probes
from grader.errors import CourseError


def week_of(course: Path, value: int) -> str:
    week = course / "assignments" / "week5"
    week.mkdir(parents=True)
    (week / "probes.py").write_text(f"value = {value}\n")
    return str(week / "test_week5.py")


def test_two_courses_in_one_process_have_their_own_probes(tmp_path: Path) -> None:
    files = [week_of(tmp_path / name, value) for value, name in enumerate(["ours", "theirs"])]
    assert [load_probes(file).value for file in [*files, *files]] == [0, 1, 0, 1]


def test_a_module_is_loaded_once_however_its_place_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = week_of(tmp_path, 3)
    monkeypatch.chdir(tmp_path)
    assert load_probes(file) is load_probes("assignments/week5/test_week5.py")


def test_what_is_not_there_is_named_with_the_file_that_wants_it(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"test_week5\.py: there is no oracle\.py beside it"):
        load_beside(week_of(tmp_path, 3), "oracle")
