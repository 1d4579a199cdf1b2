"""Overrides hold, are explained and can be taken back; a comparison names whose grade changed, and by what."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from grader.cli.main import main
from grader.errors import GraderError
from grader.gradebook import Gradebook, schema
from grader.gradebook.changes import changes
from grader.results import CheckResult, Late, Outcome, Override, Report, adjust

FORM = CheckResult("test_week5.py::form", "5.3", "Form", False, 0, 4, Outcome.FAILED, "wrong shape")
VALUE = CheckResult("test_week5.py::value", "5.3", "Value", False, 6, 6, Outcome.PASSED)
LAST = CheckResult("test_week5.py::last", "5.10", "Last", False, 0, 10, Outcome.BROKEN, "KeyError")


def report(*checks: CheckResult, student: str = "ana") -> Report:
    return Report(student, "week5", 0, "0.1.0", "a" * 64, "b" * 64, checks or (FORM, VALUE))


def override(points: int | None, task: str = "5.3") -> Override:
    return Override("ana", "week5", task, points, "a typo", "tom", "2026-10-05T10:00:00Z")


@pytest.fixture
def book_folder(tmp_path: Path) -> Path:
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.record(report())
        book.record(report(student="=ben"))
    return tmp_path


def run(book_folder: Path, *words: str) -> int:
    return main([*words, "--out", str(book_folder)])


def test_an_override_changes_the_grade_everywhere_and_says_why(
    book_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(book_folder, "override", "ana", "week5", "5.3", "9", "--why", "a <b>typo</b>", "--who", "Tom") == 0
    assert capsys.readouterr().out == "ana week5: 6 → 9 of 10\n"
    page = (book_folder / "students" / "ana" / "week5" / "report.html").read_text()
    assert "Task 5.3 set to 9 of 10" in page and "a &lt;b&gt;typo&lt;/b&gt; (Tom, 20" in page
    assert "Task 5.3 set to 9 of 10: +3" in (book_folder / "students" / "ana" / "week5" / "report.md").read_text()
    assert "ana,,,,,9,9,graded\n" in (book_folder / "grades.csv").read_text()
    again = Report.load(book_folder / "students" / "ana" / "week5" / "report.json")
    assert (again.score, again.raw_score) == (9, 6)


def test_an_override_outlives_grading_again_and_can_be_taken_back(book_folder: Path) -> None:
    assert run(book_folder, "override", "ana", "week5", "5.3", "9", "--why", "a typo") == 0
    with Gradebook(book_folder / "gradebook.sqlite") as book:
        book.record(report(replace(FORM, points=4, outcome=Outcome.PASSED), VALUE))
        assert [r.score for r in book.current()] == [6, 9]
    assert run(book_folder, "override", "ana", "week5", "5.3", "back", "--why", "mended") == 0
    with Gradebook(book_folder / "gradebook.sqlite") as book:
        assert [r.score for r in book.current()] == [6, 10]
        assert not book.current()[1].adjustments


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("anna", "week5", "5.3", "4"), "no student 'anna'; did you mean 'ana'?"),
        (("ana", "week6", "5.3", "4"), "ana has no result for 'week6'; there is: week5"),
        (("ana", "week5", "5.4", "4"), "week5 has no task '5.4'; its tasks: 5.3"),
        (("ana", "week5", "5.3", "11"), "a number with at most two decimal places from 0 to 10, or `back`; not '11'"),
        (("ana", "week5", "5.3", "4.555"), "not '4.555'"),
    ],
)
def test_an_override_that_makes_no_sense_changes_nothing(
    book_folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    before = (book_folder / "gradebook.sqlite").read_bytes()
    assert run(book_folder, "override", *words, "--why", "x") == 2
    assert message in capsys.readouterr().err
    assert (book_folder / "gradebook.sqlite").read_bytes() == before


def test_a_reason_is_needed(book_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(book_folder, "override", "ana", "week5", "5.3", "4", "--why", " ") == 2
    assert "--why" in capsys.readouterr().err


def test_lateness_is_taken_off_after_overrides_and_rounded_for_the_student() -> None:
    late = adjust(report(), [override(9)], Late(2, 15))
    assert [line.points for line in late.adjustments] == [3, -1]
    assert (late.raw_score, late.score) == (6, 8)
    assert late.adjustments[1].what == "Late by 2 days"


def test_a_task_scored_by_hand_is_no_longer_provisional() -> None:
    assert report(VALUE, LAST).broken
    assert not adjust(report(VALUE, LAST), [override(10, "5.10")], None).broken


def test_lateness_is_kept_apart_from_attempts(book_folder: Path) -> None:
    with Gradebook(book_folder / "gradebook.sqlite") as book:
        book.record_late("ana", "week5", Late(1, 50))
        assert {r.student: r.score for r in book.current()} == {"=ben": 6, "ana": 3}
        assert book.adjusted(report()).score == 3
        book.record_late("ana", "week5", None)
        assert {r.score for r in book.current()} == {6}


def test_an_old_gradebook_is_brought_up_to_date_with_all_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    old = sqlite3.connect(path)
    old.executescript(schema.FIRST)
    with old:
        values = ("ana", "week5", "a" * 64, "b" * 64, "0.1.0", "0", 6, 10, 0, report().to_json())
        old.execute("INSERT INTO attempts VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    old.close()
    with Gradebook(path) as book:
        assert book.current() == [report()]
        book.override(override(10))
        assert book.current()[0].score == 10
    rows = sqlite3.connect(path).execute('SELECT "check", outcome, points FROM checks').fetchall()
    assert rows == [(FORM.id, "failed", 0), (VALUE.id, "passed", 6)]


def test_a_comparison_names_whom_and_by_which_check() -> None:
    mended = report(replace(FORM, points=4, outcome=Outcome.PASSED), VALUE)
    assert list(changes([report()], [replace(mended, submission="c" * 64)])) == [
        "ana week5: 6 → 10 (new work)",
        "  5.3 Form: failed 0/4 → passed 4/4",
    ]
    assert list(changes([report()], [report()])) == []
    assert list(changes([report()], [adjust(report(), [override(9)], None)])) == [
        "ana week5: 6 → 9 (the same work)",
        "  + Task 5.3 set to 9 of 10: +3",
    ]
    assert list(changes([report()], [])) == ["ana week5: only in the earlier run (6)"]
    assert list(changes([report()], [report(VALUE)])) == [
        "ana week5: 6 → 6 (the same work)",
        "  5.3 Form: failed 0/4 → no such check",
    ]


def test_diff_compares_the_last_two_attempts_or_two_runs(book_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(book_folder, "diff") == 0
    assert capsys.readouterr().out == "no grade has changed\n"
    with Gradebook(book_folder / "gradebook.sqlite") as book:
        book.record(report(FORM, replace(VALUE, points=0, outcome=Outcome.TIMEOUT)))
        book.record_late("ana", "week5", Late(1, 50))
    assert run(book_folder, "diff") == 0
    assert "5.3 Value: passed 6/6 → timeout 0/6" in capsys.readouterr().out
    other = book_folder / "other"
    with Gradebook(other / "gradebook.sqlite") as book:
        book.record(report())
    assert run(book_folder, "diff", "--against", str(other)) == 0
    text = capsys.readouterr().out
    assert "=ben week5: only in the later run (6)" in text and "ana week5: 6 → 0" in text


def test_lateness_that_both_attempts_share_is_no_change(book_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Gradebook(book_folder / "gradebook.sqlite") as book:
        book.record_late("cy", "week5", Late(1, 50))
        for _ in range(2):
            book.record(report(student="cy"))
            book.record_late("cy", "week5", Late(1, 50))
    assert run(book_folder, "diff") == 0
    assert capsys.readouterr().out == "no grade has changed\n"


@pytest.mark.parametrize("attempts", [0, 1, 2])
def test_lateness_that_has_changed_is_a_change(
    book_folder: Path, attempts: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """An extension that was granted, or taken back, and lateness of a later attempt."""
    with Gradebook(book_folder / "gradebook.sqlite") as book:
        book.record_late("ana", "week5", Late(2, 50))
        for _ in range(attempts):
            book.record(report())
    assert run(book_folder, "diff") == 0
    name, *lines = capsys.readouterr().out.splitlines()
    assert name == "ana week5: 6 → 3 (the same work)" if attempts < 2 else name == "no grade has changed"
    with Gradebook(book_folder / "gradebook.sqlite") as book:
        book.record_late("ana", "week5", None)
    assert run(book_folder, "diff") == 0
    name, *lines = capsys.readouterr().out.splitlines()
    assert name == "ana week5: 3 → 6 (the same work)"
    assert lines[-1] == "  - Late by 2 days: -3"


def test_a_folder_without_a_gradebook_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "diff") == 2
    assert "there is no gradebook.sqlite" in capsys.readouterr().err
    (tmp_path / "gradebook.sqlite").write_bytes(b"not one")
    with pytest.raises(GraderError):
        Gradebook(tmp_path / "gradebook.sqlite")


def test_a_wrong_merge_is_undone_with_grades_decisions_and_reports(
    book_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(book_folder, "override", "ana", "week5", "5.3", "9", "--why", "a typo") == 0
    assert run(book_folder, "people", "split", "ana") == 2
    assert "nobody was merged into ana" in capsys.readouterr().err
    assert run(book_folder, "people", "merge", "=ben", "ana") == 0
    assert not (book_folder / "students" / "_ben").exists()
    capsys.readouterr()
    assert run(book_folder, "people", "split", "ana") == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["ana: week5 9", "=ben: week5 6"]
    with Gradebook(book_folder / "gradebook.sqlite") as book:
        assert {one.student: one.score for one in book.current()} == {"ana": 9, "=ben": 6}
        folders = [book_folder / "students" / book.folder_of(name) / "week5" / "report.md" for name in ("ana", "=ben")]
    assert [("Task 5.3 set to" in file.read_text()) for file in folders] == [True, False]
    assert "ana,,,,,9,9,graded\n" in (book_folder / "grades.csv").read_text()


def test_a_decision_that_no_page_can_show_is_kept_and_said(
    book_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(30, "Read-only file system", "reports/students/ana/week5/report.html")

    monkeypatch.setattr("grader.batch.pages.write_report", refuse)
    assert run(book_folder, "override", "ana", "week5", "5.3", "9", "--why", "a typo") == 1
    said = capsys.readouterr().err
    assert "decided, and kept in the gradebook" in said and "Read-only file system" in said
    assert "ana,,,,,9,9,graded\n" in (book_folder / "grades.csv").read_text()
    monkeypatch.undo()
    assert run(book_folder, "override", "=ben", "week5", "5.3", "1", "--why", "x") == 0
    assert "set to 9" in (book_folder / "students" / "ana" / "week5" / "report.md").read_text()


def test_teachers_pages_beside_the_class_page_are_linked_at_once(book_folder: Path) -> None:
    assert main(["export", str(book_folder), "--to", "teacher", "--write", str(book_folder.parent / "elsewhere")]) == 0
    assert not (book_folder / "index.html").exists()
    assert main(["export", str(book_folder), "--to", "teacher", "--write", str(book_folder / "teacher")]) == 0
    page = (book_folder / "index.html").read_text()
    assert (book_folder / "teacher" / "ana" / "week5.html").is_file()
    assert 'href="teacher/ana/week5.html"' in page and 'href="teacher/index.html"' in page
