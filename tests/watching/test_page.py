"""The page in the browser shows the latest results, waits for newer ones, and answers nobody else."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from grader.results import Outcome
from grader.watching.page import Page
from tests.support.reports import check


@pytest.fixture
def page() -> Iterator[Page]:
    made = Page("week5")
    made.show([check("5.1", "size", Outcome.FAILED, 5, "size: wrong value")])
    yield made
    made.close()


def read(address: str, **headers: str) -> tuple[str, str]:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
        return answer.url, answer.read().decode()


def test_the_page_shows_the_latest_results(page: Page) -> None:
    url, html = read(page.address)
    assert "size: wrong value" in html
    page.show([check("5.1", "size", Outcome.PASSED, 5)])
    assert "size: wrong value" not in read(page.address)[1]
    assert read(url)[0] != url  # an older version leads to the newest


def test_who_waits_for_news_gets_them_when_they_come(page: Page) -> None:
    url, _ = read(page.address)
    version = url.rpartition("/")[2]
    threading.Timer(0.2, page.show, [[]]).start()
    assert read(f"{page.address}after-{version}")[1] == str(int(version) + 1)


def test_other_sites_and_who_guesses_get_nothing(page: Page) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        read(page.address, Host="evil.example")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        read(f"{page.address.rpartition('/')[0][:-1]}x/")
