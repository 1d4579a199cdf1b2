"""Opens submissions of a few modules, whose imports are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.inside.modules import StudentModules, close_modules, open_modules


@pytest.fixture
def opened_modules(tmp_path: Path) -> Iterator[Callable[..., StudentModules]]:
    """`opened_modules(lenet=source, …)` opens a submission of these modules."""
    current: list[StudentModules] = []

    def write_and_open(**sources: str) -> StudentModules:
        for name, source in sources.items():
            (tmp_path / f"{name}.py").write_text(source)
        current.append(open_modules(tmp_path, "week5"))
        return current[-1]

    yield write_and_open
    while current:
        close_modules(current.pop())
