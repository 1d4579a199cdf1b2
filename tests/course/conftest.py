"""A course with all that a grade can depend on."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course import Course
from tests.support.courses import copied


@pytest.fixture
def whole_course(tmp_path: Path) -> Course:
    return Course(copied("whole", tmp_path / "course"))
