"""Keeps the process that reads submissions from test to test of a module: most of them read one file of a line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.intake.reading.desk import DESK


@pytest.fixture(scope="module", autouse=True)
def _one_process_for_a_module() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DESK, "rest", lambda: None)
        yield
    DESK.rest()
