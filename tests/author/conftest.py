"""A course of one new week, as its author has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.author.release.scaffold import new_week
from grader.course import Course
from grader.judging import fork_server_client
from tests.support.quick import QUICK

WEEK = "week7"


@pytest.fixture
def new_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """Write what `new week7` makes into an empty course, which is the working folder."""
    course = Course(tmp_path / "course")
    (course.root / "assignments").mkdir(parents=True)
    new_week(course, WEEK)
    monkeypatch.chdir(course.root)
    # Its checks ask little, and a validation starts judges several times.
    monkeypatch.setattr(fork_server_client, "Shortcuts", lambda: QUICK)
    return course
