"""The gradebook keeps what was committed, finds only final results, and says why it cannot be used."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.course import week_order
from grader.errors import GraderError
from grader.gradebook import Gradebook, Problem, ResultKey, schema
from grader.results import CheckResult, Outcome, Report

SHAPES = CheckResult("test_week5.py::shapes", "5.3", "shapes", False, 4, 4, Outcome.PASSED, seconds=0.25)
BROKEN = replace(SHAPES, id="test_week5.py::axes", points=0, outcome=Outcome.BROKEN, message="KeyError: 3")


def report(student: str = "ana", week: str = "week5", **changes: Any) -> Report:
    plain = Report(student, week, 0, "0.1.0", "a" * 64, "b" * 64, (SHAPES,), ("one note",))
    return replace(plain, **changes)


def found(book: Gradebook, wanted: Report) -> Report | None:
    """The report that a run would keep instead of grading again."""
    key = ResultKey.of(wanted)
    attempt = book.find(key)
    return book.report_of(attempt) if attempt and attempt.answers(key) else None


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path / "gradebook.sqlite") as opened:
        yield opened


def test_a_result_is_found_again_in_a_later_run(tmp_path: Path) -> None:
    path = tmp_path / "out" / "gradebook.sqlite"
    with Gradebook(path) as book:
        assert found(book, report()) is None
        assert not book.has_attempts()
        book.record(report())
    with Gradebook(path) as book:
        assert book.has_attempts()
        assert found(book, report()) == report()
        assert book.current() == [report()]


@pytest.mark.parametrize(
    "other",
    [
        {"student": "ben"},
        {"week": "week4"},
        {"submission": "c" * 64},
        {"assignment": "c" * 64},
        {"grader": "0.2.0"},
        {"seed": 1},
    ],
)
def test_a_result_depends_on_every_part_of_its_key(book: Gradebook, other: dict[str, Any]) -> None:
    book.record(report())
    assert found(book, replace(report(), **other)) is None


def test_an_older_attempt_stays_as_history_and_is_not_found(book: Gradebook) -> None:
    first, second = report(submission="1" * 64), report(submission="2" * 64)
    for attempt in (first, second):
        book.record(attempt)
    assert book.current() == [second]
    assert book.history("ana", "week5") == [first, second]
    assert found(book, first) is None
    book.record(first)
    assert book.current() == [first]
    assert found(book, first) == first


def test_a_result_with_a_broken_check_has_to_be_graded_again(book: Gradebook) -> None:
    provisional = report(checks=(SHAPES, BROKEN))
    book.record(provisional)
    assert found(book, provisional) is None
    assert book.current() == [provisional]


def test_problems_are_replaced_and_cleared_once_graded(book: Gradebook) -> None:
    book.record_problem("ana", "week5", "not a zip file")
    book.record_problem("ana", "week5", "no permission")
    book.record_problem("ana", "week4", "no such module")
    assert book.problems() == [
        Problem("ana", "week4", "no such module"),
        Problem("ana", "week5", "no permission"),
    ]
    book.record(report())
    assert book.problems() == [Problem("ana", "week4", "no such module")]


def test_a_week_with_a_problem_since_is_not_found(book: Gradebook) -> None:
    book.record(report())
    book.record_problem("ana", "week5", "no sandbox")
    assert found(book, report()) is None
    book.clear_problems(["ana"])
    assert found(book, report()) == report()


def test_a_problem_without_a_week_outlives_what_the_same_run_grades(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook(path) as book:
        book.record_problem("ana", None, "extra.zip: not a zip file")
        book.record(report())
        assert book.problems() == [Problem("ana", None, "extra.zip: not a zip file")]
    with Gradebook(path) as book:
        book.record(report(submission="2" * 64))
        assert book.problems() == []


def test_results_and_problems_come_sorted(book: Gradebook) -> None:
    names = [("ben", "week9"), ("ana", "week10"), ("ana", "week9")]
    for student, week in names:
        book.record(report(student, week))
        book.record_problem("z" + student, week, "lost")
    assert [(r.student, r.week) for r in book.current()] == sorted(names, key=lambda n: (n[0], len(n[1])))
    assert [p.student for p in book.problems()] == ["zana", "zana", "zben"]


def test_weeks_are_ordered_by_number() -> None:
    weeks = ["week4", "week9", "week10", "week10b", "zeta"]
    assert sorted(reversed(weeks), key=week_order) == weeks


@pytest.mark.parametrize("odd", ["Zoë 李", "bad\udc80name", "\ud83d", "nul\x00", "quote'\"; DROP TABLE x"])
def test_any_text_comes_back_as_it_was(book: Gradebook, odd: str) -> None:
    check = replace(SHAPES, message=odd, hint=odd)
    strange = report(odd, checks=(check,), notes=(odd,), seed=2**70)
    book.record(strange)
    book.record_problem(odd, "week4", odd)
    assert book.current() == [strange]
    assert found(book, strange) == strange
    assert book.problems()[0].message.encode("utf-8").decode() == odd.encode("utf-8", "backslashreplace").decode()


def test_a_killed_run_loses_nothing_that_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    program = f"""
import os, signal, sys
from pathlib import Path
from grader.gradebook.store import Gradebook
from grader.results.report import Report

def report(student):
    return Report(student, "week5", 0, "0.1.0", "a", "b", (), ("x" * 1_000_000,))

book = Gradebook(Path(sys.argv[1]))
book.record(report("ana"))
with book.transaction() as database:
    database.execute("DELETE FROM attempts")
    database.execute("INSERT INTO problems VALUES (?, ?, ?)", (1, None, "x" * 9_000_000))
    os.kill(os.getpid(), {int(signal.SIGKILL)})
"""
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    with Gradebook(path) as book:
        assert [r.student for r in book.current()] == ["ana"]
        assert book.problems() == []
    assert [file.name for file in tmp_path.iterdir()] == ["gradebook.sqlite"]


def test_an_interrupted_record_leaves_the_book_as_it_was(book: Gradebook) -> None:
    class Interrupting(Report):
        @property
        def score(self) -> int:
            raise KeyboardInterrupt

    book.record_problem("ana", "week5", "no permission")
    with pytest.raises(KeyboardInterrupt):
        book.record(Interrupting(**vars(report())))
    assert book.current() == []
    book.record(report())
    assert book.current() == [report()]


def test_a_second_run_is_kept_out_until_the_first_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook(path) as book:
        with pytest.raises(GraderError, match=r"in use by another run"):
            Gradebook(path)
        book.record(report())
    with Gradebook(path) as book:
        assert book.current() == [report()]


def text_file(path: Path) -> None:
    path.write_text("student,week4\nana,100\n" * 100)


def foreign_database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE birds (name TEXT)")
    database.close()


def newer_gradebook(path: Path) -> None:
    Gradebook(path).close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    database.close()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (text_file, "not a gradebook"),
        (foreign_database, "not a gradebook"),
        (newer_gradebook, "newer version of the grader"),
        (folder, "cannot be opened"),
    ],
)
def test_what_is_no_gradebook_is_refused_and_left_alone(
    tmp_path: Path, make: Callable[[Path], None], complaint: str
) -> None:
    path = tmp_path / "gradebook.sqlite"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(GraderError, match=complaint) as caught:
        Gradebook(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(GraderError, match="cannot be opened"):
        Gradebook(tmp_path / "out" / "gradebook.sqlite")


def test_a_truncated_gradebook_is_reported_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook(path) as book:
        book.record(report(notes=("x" * 50_000,)))
    path.write_bytes(path.read_bytes()[:20_480])
    with pytest.raises(GraderError, match="damaged"), Gradebook(path) as book:
        book.current()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"schema": 1}'])
def test_a_damaged_report_is_named_by_its_attempt(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook(path) as book:
        book.record(report())
    with sqlite3.connect(path) as database:
        database.execute("UPDATE attempts SET report = ?", (text,))
    database.close()
    with Gradebook(path) as book, pytest.raises(GraderError, match="attempt 1 is damaged"):
        book.current()
