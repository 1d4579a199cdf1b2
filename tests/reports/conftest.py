"""A browser for the tests of pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browsers import Window, opened_browser


@pytest.fixture(scope="module")
def one_window() -> Iterator[Window]:
    with opened_browser() as found:
        yield Window(found)


@pytest.fixture
def window(one_window: Window) -> Iterator[Window]:
    """A window of Chromium, cleared after each test."""
    yield one_window
    one_window.clear()
