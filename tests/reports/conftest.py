"""A browser for the tests of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browsers import Window, opened_browser


@pytest.fixture(scope="package")
def one_window() -> Iterator[Window]:
    """A window for all files of this room: no test of it runs an event loop, which Playwright would not let it."""
    with opened_browser() as found:
        yield Window(found)


@pytest.fixture
def window(one_window: Window) -> Iterator[Window]:
    """A window of Chromium, cleared after each test."""
    yield one_window
    one_window.clear()


@pytest.fixture
def asked_of(window: Window, tmp_path: Path) -> Callable[..., Any]:
    """Run `script`, a function body that gets the document as `page`, in a page of this width; return its value."""

    def ask(text: str, script: str, width: int) -> Any:
        page = window.page(width, 844)
        (tmp_path / "asked.html").write_text(text, encoding="utf-8")
        page.goto((tmp_path / "asked.html").as_uri())
        return page.evaluate(f"() => {{ const page = document; {script} }}")

    return ask
