"""Finds the browser in which tests look at pages."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest


def chromium() -> str:
    """Find Chromium. Skip where it is missing, but fail under GRADER_NEEDS_BROWSER=1, as in CI."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        missing = "no Chromium here: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("GRADER_NEEDS_BROWSER") == "1" else pytest.skip(missing)
    return found


@contextlib.contextmanager
def opened_browser() -> Iterator[Any]:
    """Open Chromium under Playwright, and close it at the end."""
    path = chromium()
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


def violations(page: Any, rules: list[str] | None = None) -> list[dict[str, Any]]:
    """Return what axe, or these rules of it, finds wrong with a page; it looks into no page within the page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe.Axe().axe_script)
    # To describe all that is right takes axe longer than to look.
    options = {"resultTypes": ["violations"], "iframes": False, **({"runOnly": rules} if rules else {})}
    found: list[dict[str, Any]] = page.evaluate("async (options) => (await axe.run(options)).violations", options)
    return found


class Window:
    """A browser's window, which tests use in turn: to open a page costs more than most tests do with it.

    Each page of a test lies in a context of its own, empty of what earlier tests stored. The next test gets the same
    pages; those with options that only a context has are made for one test. In between, pages rest at an address:
    where a server keeps its pages apart from all others (COOP), one of its own saves two processes a test.
    """

    def __init__(self, browser: Any, rest: str = "about:blank") -> None:
        self._browser = browser
        self._rest = rest
        self._kept: list[Any] = []
        self._used = 0
        self._odd: list[Any] = []
        self._heard: list[tuple[Any, str, Callable[..., Any]]] = []

    def page(self, width: int, height: int, color_scheme: str = "light", **options: Any) -> Any:
        """Open a page of that size and scheme."""
        if options:
            found = self._browser.new_context(**options).new_page()
            self._odd.append(found)
        else:
            found = self._next()
        found.set_viewport_size({"width": width, "height": height})
        found.emulate_media(media="null", color_scheme=color_scheme)
        return found

    def _next(self) -> Any:
        if self._used == len(self._kept):
            self._kept.append(self._browser.new_context().new_page())
        self._used += 1
        return self._kept[self._used - 1]

    def hear(self, page: Any, event: str, handler: Callable[..., Any]) -> None:
        """Have a page's events handled, for this test alone."""
        page.on(event, handler)
        self._heard.append((page, event, handler))

    def clear(self) -> None:
        """Leave what the test opened, and forget what it stored."""
        for page, event, handler in self._heard:
            page.remove_listener(event, handler)
        for page in self._odd:
            page.context.close()
        used = self._kept[: self._used]
        self._kept = [page for page in used if _left(page, self._rest)] + self._kept[self._used :]
        self._used, self._odd, self._heard = 0, [], []


# A page that is left must not store what is half written for the next test.
_FORGET = "localStorage.clear(); sessionStorage.clear(); Storage.prototype.setItem = () => {}"


def _left(page: Any, rest: str) -> bool:
    """Leave a page empty; close it, and say so, where that is not to be had: it may be gone, or show an error."""
    try:
        for other in page.context.pages:
            if other is not page:
                other.close()
        page.evaluate(_FORGET)
        page.unroute_all(behavior="ignoreErrors")
        page.goto(rest)
        page.context.clear_cookies()
    except Exception:
        page.context.close()
        return False
    return True
