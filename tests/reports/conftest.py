"""A browser for the tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.browsers import opened_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium under Playwright."""
    with opened_browser() as found:
        yield found
