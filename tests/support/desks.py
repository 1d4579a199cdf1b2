"""Desks for tests: a small class in a gradebook, and clients that behave as browsers do."""

from __future__ import annotations

import gc
import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from grader.batch.backend import Backend
from grader.course import Course
from grader.desk.app import Settings, make_app
from grader.desk.guard.safety import Address
from grader.desk.guard.sessions import Sessions
from grader.files import make_folder
from grader.gradebook import Gradebook
from grader.people.person import Person
from grader.results import CheckResult, ManualPart, Outcome, Report, RubricItem
from tests.support.reports import WRONG, check, everything

HOST = "127.0.0.1:8000"
CODE = '''"""LeNet."""
import torch


class LeNet(torch.nn.Module):
    def forward(self, x):
        """Compute.

        It goes on.
        """
        hidden = self.conv1(x)  # <b>bold</b> & more
        return hidden.detach()
'''
STYLE = ManualPart(
    "style", "Code style", 10, (RubricItem("names", "Names", 4, "short names hide much"), RubricItem("docs", "Docs", 6))
)
PLOTS = ManualPart("plots", "Plots", 5)
STUDENTS = ("Ana Silva", "Ben O'Brien", "Cleo Groß", "Dora Łukasz")


@cache
def checks(passed: int = 1) -> tuple[CheckResult, ...]:
    """A week's checks: the first so many pass, and the others fail at a line of the student's."""
    titles = (("5.1", "output size", False), ("5.3", "values of LeNet", False), ("5.3", "gradients", True))
    found = []
    for place, (task, title, hidden) in enumerate(titles):
        done = place < passed
        found.append(
            check(
                task, title, Outcome.PASSED if done else Outcome.FAILED, 4, "" if done else WRONG, hidden=hidden,
                hint="What cuts a graph?", place="" if done else "lenet.py:11",
                exhibits=everything() if place == 1 else (), output="" if done else "printed <i>this</i>",
            )
        )  # fmt: skip
    return tuple(found)


def graded(student: str, passed: int = 1, week: str = "week5", work: str = "1") -> Report:
    return Report(student, week, 7, "0.1.0", work * 64, "9a" * 32, checks(passed), ("a note",))


def make_book(folder: Path, students: tuple[str, ...] = STUDENTS) -> Path:
    """Make a gradebook of a small class; week 5 has two parts that people grade."""
    make_folder(folder)
    file = folder / "gradebook.sqlite"
    file.touch(0o600)
    file.write_bytes(_book_of(students))
    return folder


@cache
def _book_of(students: tuple[str, ...]) -> bytes:
    """Return the file of such a gradebook. It is made once: each of its transactions waits for the disk."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "gradebook.sqlite"
        with Gradebook(file, copies=False) as book:
            book.save_people([_person(name, place) for place, name in enumerate(students)])
            book.record_weeks({"week5": [STYLE, PLOTS]})
            for place, name in enumerate(students):
                report = graded(name, passed=place % 3, work=f"{place % 10}")
                book.record(report)
                book.record_sources(report.submission, {"lenet.py": CODE.encode()})
        return file.read_bytes()


def _person(name: str, place: int) -> Person:
    marks = [("id", str(2000 + place))]
    return Person(name, folder=f"s{place}", section="AB"[place % 2], listed=True, marks=marks)


class Page:
    """A page that came, with its forms."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.text = response.text
        self.path = response.url.path
        self.response = response

    @property
    def words(self) -> str:
        """All that is to be read."""
        bare = re.sub(r"<(script|style)\b.*?</\1>", "", self.text, flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())

    def form(self, name: str) -> dict[str, str]:
        """Return the hidden fields of a form, by its id or its action."""
        pattern = rf'<form [^>]*(?:id="{re.escape(name)}"|action="{re.escape(name)}")[^>]*>(.*?)</form>'
        found = re.search(pattern, self.text, re.DOTALL)
        assert found, f"there is no form {name}"
        fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', found[1])
        return {key: html.unescape(value) for key, value in fields}


class Visitor:
    """Somebody at the desk."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, path: str, **headers: str) -> Page:
        return Page(self.client.get(path, headers=headers))

    def post(self, path: str, fields: dict[str, Any], **headers: str) -> Page:
        return Page(self.client.post(path, data=fields, headers={"origin": f"http://{HOST}", **headers}))

    def send(self, page: Page, form: str, action: str, **fields: Any) -> Page:
        """Fill in a form of a page and send it."""
        return self.post(action, page.form(form) | fields)


@contextmanager
def opened(
    folder: Path, *names: str, course: Course | None = None, backend: Callable[[], Backend] | None = None
) -> Iterator[list[Visitor]]:
    """Open a desk; yield a visitor for each name, and behind them one who was not let in."""
    sessions = Sessions(names or ("tina",))
    app = make_app(Settings(folder, Address("http", (HOST, "localhost:8000")), sessions, course, backend))
    with without_collecting(), TestClient(app, base_url=f"http://{HOST}", raise_server_exceptions=False) as first:
        clients = [first, *(_beside(first, app) for _ in sessions.names)]
        for client, name in zip(clients, sessions.names, strict=False):
            entered = client.get(f"/enter?token={sessions.tokens[name]}")
            assert entered.status_code == 200, entered.text
        yield [Visitor(client) for client in clients]


@contextmanager
def without_collecting() -> Iterator[None]:
    """A desk looks once for what is not used any more: in a process that has imported torch, a tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda *_: 0)
        yield


def _beside(first: TestClient, app: Any) -> TestClient:
    """Make one more client of the same running application."""
    client = TestClient(app, base_url=f"http://{HOST}", raise_server_exceptions=False)
    client.portal = first.portal
    return client


def again(folder: Path, student: str, **changes: Any) -> None:
    """Have a run grade a student again, beside the desk."""
    with Gradebook(folder / "gradebook.sqlite", copies=False) as book:
        book.record(replace(graded(student, passed=3), **changes))
