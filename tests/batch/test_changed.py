"""A run says which grades of earlier runs are others now, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.batch.changed import MOST_SAID, Before
from grader.gradebook import Gradebook
from grader.results import Late, Outcome, Report
from tests.support.reports import check

ANN = Report("Ann", "week5", 1, "grader", "first", "week 5", (check("5.1", "a filter", Outcome.PASSED, 40),))


@pytest.fixture
def changed_book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.record(ANN)
        yield book


def said(before: Before, book: Gradebook) -> list[str]:
    return before.changed(book, book.overview())


def test_lateness_that_comes_and_goes_is_said_with_its_reason(changed_book: Gradebook) -> None:
    before = Before(changed_book)
    changed_book.record_late("Ann", "week5", Late(2, 20))
    assert said(before, changed_book) == ["grade changed: Ann week5: 40 → 32 (the same work); + Late by 2 days: -8"]
    before = Before(changed_book)
    changed_book.record_late("Ann", "week5", None)
    assert said(before, changed_book) == ["grade changed: Ann week5: 32 → 40 (the same work); - Late by 2 days: -8"]


def test_new_work_and_a_new_name_are_seen_and_what_stays_is_not(changed_book: Gradebook) -> None:
    changed_book.record(replace(ANN, student="Bo"))
    before = Before(changed_book)
    worse = (check("5.1", "a filter", Outcome.FAILED, 40),)
    changed_book.record(replace(ANN, submission="second", checks=worse))
    (person,) = [one for one in changed_book.people() if one.name == "Ann"]
    person.name = person.called = "Ann Lee"
    changed_book.save_people([person])
    assert said(before, changed_book) == [
        "grade changed: Ann Lee week5: 40 → 0 (new work); 5.1 a filter: passed 40/40 → failed 0/40"
    ]


def test_a_zero_that_becomes_a_grade_is_said(changed_book: Gradebook) -> None:
    changed_book.record_zeros([("Bo", "week5")])
    before = Before(changed_book)
    changed_book.record(replace(ANN, student="Bo"))
    assert said(before, changed_book) == ["grade changed: Bo week5: 0 → 40 (graded by checks now)"]


def test_of_many_the_number_is_said(changed_book: Gradebook) -> None:
    names = [f"Student {number}" for number in range(MOST_SAID + 3)]
    for name in names:
        changed_book.record(replace(ANN, student=name))
    before = Before(changed_book)
    for name in names:
        changed_book.record_late(name, "week5", Late(1, 10))
    lines = said(before, changed_book)
    assert len(lines) == MOST_SAID + 1
    assert lines[-1] == "grade changed: 3 more; `python -m grader diff` names all"


def test_a_first_run_changes_nothing(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        before = Before(book)
        book.record(ANN)
        assert said(before, book) == []
