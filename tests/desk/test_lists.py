"""No page of the desk grows with the class and the weeks: long lists come in pages, and all of each can be reached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.desk.model.asked import PER_PAGE
from grader.desk.model.diffs import MOST_SHOWN
from grader.desk.model.lists import Paged, sheet
from grader.gradebook import Gradebook, open_book
from grader.results import Override
from tests.support.desks import Visitor, graded, make_book, opened

MANY = 4_900


@pytest.fixture(scope="module")
def busy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_book(tmp_path_factory.mktemp("busy"))
    with open_book(folder, shared=True) as book:
        with book.changing("tina") as change:
            for number in range(MANY):
                change.put("requests", {
                    "person": number % 4 + 1, "week": "week5", "task": "5.3", "text": f"please {number} " + "x" * 900,
                    "asked": change.at, "state": "kept" if number < 100 else "open",
                })  # fmt: skip
            change.note("many")
        for number in range(250):
            with book.changing("tina") as change:
                change.use_phrase("week5", "5.3", f"phrase {number}")
                decision = Override("Ana Silva", "week5", "5.3", number % 9, f"why {number}", "tina", f"at {number:03}")
                change.decide(1, decision)
                change.note(f"did {number}", 1, "week5")
    return folder


@pytest.fixture(scope="module")
def reader(busy_folder: Path) -> Iterator[Visitor]:
    with opened(busy_folder) as (visitor, _):
        yield visitor


@pytest.mark.parametrize("path", ["/requests", "/log", "/phrases", "/", "/work/1/week5", "/check/week5?id=nothing"])
def test_a_page_of_a_busy_course_has_a_bounded_size(reader: Visitor, path: str) -> None:
    assert len(reader.get(path).text) < 250_000


def test_every_request_can_be_reached_and_found(reader: Visitor) -> None:
    first = reader.get("/requests")
    assert first.text.count("<article") == PER_PAGE
    assert f"{MANY}, page 1 of {MANY // PER_PAGE}" in first.words
    second = reader.get("/requests" + re.findall(r'href="(\?[^"]*page=2)"', first.text)[0].replace("&amp;", "&"))
    assert f"please {MANY - 1 - PER_PAGE} " in second.words and f"please {MANY - PER_PAGE} " not in second.words
    assert "please 0 " in reader.get("/requests?page=99999").words
    assert reader.get("/requests?q=please+1234+dora").text.count("<article") == 0
    (found,) = re.findall(r'<article class="card request" id="([^"]*)"', reader.get("/requests?q=please+1234").text)
    assert f'id="{found}"' in reader.get(f"/requests?request={found.partition('-')[2]}").text
    assert "4800, page 1" in reader.get("/requests?state=open").words
    assert "100, page 1 of 2" in reader.get("/requests?state=answered&week=week5").words
    assert "None fits." in reader.get("/requests?week=week4").words


def test_an_answer_comes_back_to_the_page_that_was_shown(reader: Visitor) -> None:
    path = "/requests?state=open&page=3"
    page = reader.get(path)
    number = re.findall(r'id="request-(\d+)"', page.text)[7]
    after = reader.send(page, f"answer-{number}", "/do/answer", text="no", state="kept")
    assert str(after.response.url).endswith(path)
    assert f'id="request-{number}"' not in after.text
    reader.post("/do/undo", page.form("/do/undo") | {"id": ""})


def test_the_log_and_saved_comments_go_back_to_the_first(reader: Visitor) -> None:
    assert "did 249" in reader.get("/log").words and "did 5 " not in reader.get("/log").words
    last = reader.get("/log?page=3&decisions=2").words
    assert "did 5 " in last and "why 149" in last and "why 150" not in last
    assert "phrase 0 " in reader.get("/phrases?page=5").words
    assert "phrase 123 " in reader.get("/phrases?q=phrase+123").words
    assert "None fits." in reader.get("/phrases?q=nothing+of+it").words


def test_a_check_that_everybody_lost_in_another_way_shows_some_groups_at_a_time(tmp_path: Path) -> None:
    names = tuple(f"Student {number}" for number in range(45))
    make_book(tmp_path, names)
    with Gradebook(tmp_path / "gradebook.sqlite", copies=False) as book:
        for number, name in enumerate(names):
            report, why = graded(name, passed=1), f"{'abcdefghi'[number % 9] * (number // 9 + 1)} is"
            lost = (one if one.outcome == "passed" else replace(one, message=why) for one in report.checks)
            book.record(replace(report, checks=tuple(lost)))
    with opened(tmp_path) as (tina, _):
        path = "/check/week5?id=test_week5.py::test_values_of_LeNet"
        first, last = tina.get(path), tina.get(f"{path}&page=3")
        assert (first.text.count('class="card group"'), last.text.count('class="card group"')) == (20, 5)
        assert "in 45 ways, page 1 of 3" in first.words
        seen = {one for page in (first, tina.get(f"{path}&page=2"), last)
                for one in re.findall(r'name="member" value="(\d+):', page.text)}  # fmt: skip
        assert len(seen) == len(names)


def test_attempts_that_change_very_much_are_compared_in_part(tmp_path: Path) -> None:
    make_book(tmp_path, ("Ana Silva",))
    with Gradebook(tmp_path / "gradebook.sqlite", copies=False) as book:
        for attempt in range(6):
            lines = "\n".join(f"{line}{attempt if line % 11 == 0 else ''}" for line in range(1_000))
            book.record(graded("Ana Silva", work=f"{attempt}"))
            book.record_sources(f"{attempt}" * 64, {f"m{file}.py": lines.encode() for file in range(60)})
    with opened(tmp_path) as (tina, _):
        page = tina.get("/attempts/1/week5")
        assert MOST_SHOWN / 2 < page.text.count('<div class="line') < MOST_SHOWN + 5_000
        assert "Too much changed to show line by line." in page.words


@pytest.mark.parametrize(
    ("count", "number", "linked"),
    [
        (0, 1, [1]), (10, 1, [1]), (30, 2, [1, 2, 3]), (200, 10, [1, 0, 8, 9, 10, 11, 12, 0, 20]),
        (200, 99, [1, 0, 18, 19, 20]),
    ],
)  # fmt: skip
def test_pages_are_linked_around_the_shown_one(count: int, number: int, linked: list[int]) -> None:
    items = Paged(count, lambda first, most: list(range(first, first + most)))
    found = sheet(items, 10, {"page": str(number), "q": "a&b", "week": ""})
    assert found.linked == linked
    assert list(found.items) == list(range(count))[(found.number - 1) * 10 : found.number * 10]
    assert found.address(2) == "?page=2&q=a%26b"


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "1e3", "²", "9" * 40])
def test_a_number_that_makes_no_sense_is_the_first_page(text: str) -> None:
    assert sheet(range(100), 10, {"page": text}).number == 1
