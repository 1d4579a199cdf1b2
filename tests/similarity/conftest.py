"""Ends the process that takes code apart after each module, so that no test finds it running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.similarity import tokens


@pytest.fixture(scope="module", autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    tokens.rest()
