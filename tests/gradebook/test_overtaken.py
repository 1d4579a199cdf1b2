"""What a person decided about earlier work is told where newer work would score more; the grade itself stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.batch.pages import write_class
from grader.gradebook import Gradebook
from grader.reports.terminal import MOST_OVERTAKEN, overtaken_lines
from grader.results import WEEK, CheckResult, Kind, Outcome, Override, Overtaken, Report

EARLY, LATER, LATEST = "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "2100-01-02T00:00:00Z"


def checks(filters: int, network: int) -> tuple[CheckResult, ...]:
    return tuple(
        CheckResult(
            f"t::{task}", task, title, False, points, most, Outcome.PASSED if points == most else Outcome.FAILED
        )
        for task, title, points, most in (("5.1", "a filter", filters, 40), ("5.3", "a network", network, 60))
    )  # fmt: skip


WORK = Report("Ann", "week5", 1, "grader", "first", "week 5", checks(10, 10))


@pytest.fixture
def decided_book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        yield book


def decide(book: Gradebook, task: str, points: float | None, at: str = LATER, kind: Kind = Kind.POINTS) -> None:
    book.override(Override("Ann", "week5", task, points, "as discussed", "Tea", at, kind))


def told(book: Gradebook) -> tuple[Overtaken, ...]:
    (report,) = book.overview()
    assert report.overtaken == book.current()[0].overtaken
    assert report.for_student().overtaken == ()
    return report.overtaken


def hand_in(book: Gradebook, report: Report) -> None:
    """Record an attempt after `LATER`."""
    book.record(report)
    with book.transaction() as database:
        database.execute("UPDATE attempts SET at = ? WHERE id = (SELECT max(id) FROM attempts)", (LATEST,))


@pytest.mark.parametrize(
    ("task", "points", "newer", "expected"),
    [
        ("5.1", 20, (40, 10), [Overtaken("5.1", 20, 40)]),
        ("5.1", 20, (20, 60), []),  # as many, and another task may do better
        ("5.1", 20, (15, 10), []),
        (WEEK, 50, (40, 60), [Overtaken(WEEK, 50, 100)]),
        (WEEK, 50, (30, 10), []),
        ("5.1", 0, (10, 10), [Overtaken("5.1", 0, 10)]),  # whoever took points off has not seen the new work
    ],
)
def test_new_work_that_would_score_more_is_told_and_changes_no_grade(
    decided_book: Gradebook, task: str, points: float, newer: tuple[int, int], expected: list[Overtaken]
) -> None:
    decided_book.record(WORK)
    decide(decided_book, task, points)
    assert told(decided_book) == ()
    hand_in(decided_book, replace(WORK, submission="second", checks=checks(*newer)))
    assert list(told(decided_book)) == expected
    (report,) = decided_book.current()
    assert report.score == points + (0 if task == WEEK else newer[1])


def test_a_check_that_gives_the_same_work_more_is_told_and_grading_again_is_not(decided_book: Gradebook) -> None:
    decided_book.record(WORK)
    decide(decided_book, "5.1", 5)
    hand_in(decided_book, replace(WORK, seed=2))
    assert told(decided_book) == ()
    hand_in(decided_book, replace(WORK, assignment="mended", checks=checks(30, 10)))
    assert told(decided_book) == (Overtaken("5.1", 5, 30),)


def test_a_decision_about_what_could_not_be_graded_gives_way_to_no_work_without_a_word(decided_book: Gradebook) -> None:
    decided_book.record_problem("Ann", "week5", "a damaged zip")
    decide(decided_book, WEEK, 50)
    hand_in(decided_book, WORK)
    assert told(decided_book) == ()
    hand_in(decided_book, replace(WORK, submission="second", checks=checks(40, 60)))
    assert told(decided_book) == (Overtaken(WEEK, 50, 100),)


def test_work_that_comes_after_an_excuse_is_told(decided_book: Gradebook) -> None:
    decided_book.record(WORK)
    decide(decided_book, WEEK, 0, kind=Kind.EXCUSED)
    assert told(decided_book) == ()
    hand_in(decided_book, replace(WORK, submission="second"))
    assert told(decided_book) == (Overtaken(WEEK, None, 20),)


def test_deciding_again_or_taking_it_back_ends_it(decided_book: Gradebook) -> None:
    for points in (20, None):
        decided_book.record(WORK)
        decide(decided_book, "5.1", 20)
        hand_in(decided_book, replace(WORK, submission="second", checks=checks(40, 10)))
        assert told(decided_book) == (Overtaken("5.1", 20, 40),)
        decide(decided_book, "5.1", points, LATEST)
        assert told(decided_book) == ()


def test_a_decision_about_the_week_is_the_last_word(decided_book: Gradebook) -> None:
    decided_book.record(WORK)
    decide(decided_book, "5.1", 5)
    decide(decided_book, WEEK, 100)
    hand_in(decided_book, replace(WORK, submission="second", checks=checks(40, 10)))
    assert told(decided_book) == ()


def test_attempts_of_earlier_versions_have_no_time_and_come_before_all_decisions(decided_book: Gradebook) -> None:
    decided_book.record(WORK)
    with decided_book.transaction() as database:
        database.execute("UPDATE attempts SET at = ''")
    decide(decided_book, "5.1", 0, EARLY)
    assert told(decided_book) == ()


def test_the_end_of_a_run_has_a_line_for_each_and_the_class_page_a_mark(
    decided_book: Gradebook, tmp_path: Path
) -> None:
    decided_book.record(WORK)
    decide(decided_book, "5.1", 20)
    hand_in(decided_book, replace(WORK, submission="second", checks=checks(40, 10)))
    reports, _ = write_class(decided_book, tmp_path)
    head, line = overtaken_lines(reports)
    assert head.startswith("DECIDED ABOUT EARLIER WORK, AND NEWER WORK WOULD SCORE MORE: 1;")
    assert line == "  Ann week5 task 5.1: 20, and would be 40"
    assert overtaken_lines([]) == []
    many = overtaken_lines([replace(reports[0], student=f"S{n}") for n in range(MOST_OVERTAKEN + 2)])
    assert (len(many), many[-1]) == (MOST_OVERTAKEN + 2, "  and 2 more; the class page shows them all")
    page = (tmp_path / "index.html").read_text("utf-8")
    assert 'data-marks="newer work would score more"' in page
    assert "decided about earlier work, and newer work would score more; it stays" in page
    assert "<option>newer work would score more</option>" in page
    assert "Ann,,,,,30,30,graded" in (tmp_path / "grades.csv").read_text("utf-8")
