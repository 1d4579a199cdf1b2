"""A course of skeletons; and one process that reads submissions stays for a module: most tests read one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.course import Course
from grader.intake.reading.desk import DESK
from tests.support.courses import copied


@pytest.fixture(scope="module", autouse=True)
def _one_process_for_a_module() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DESK, "rest", lambda: None)
        yield
    DESK.rest()


@pytest.fixture
def three_weeks_course(tmp_path: Path) -> Course:
    return Course(copied("three_weeks", tmp_path / "course"))
