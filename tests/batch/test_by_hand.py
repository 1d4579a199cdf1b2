"""From `batch` to grades by hand: manual parts, zero for what is missing, and what a later run makes of decisions."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grader.batch.missing import EMPTY, ZERO, note_missing
from grader.cli.main import main
from grader.course import Course
from grader.gradebook import Gradebook
from grader.intake.answers.answers import unpacked
from grader.intake.roster import Roster, Student
from grader.people.person import Person
from grader.results import CheckResult, Outcome, Override, Report
from tests.support.courses import copied, with_settings
from tests.support.makers import put
from tests.support.runs import batch_unjudged as batch
from tests.support.runs import rows

WORK = b"def double(n):\n    return 2 * n\n"
MANUAL = '[[manual]]\ntitle = "Code quality"\nname = "style"\npoints = 10\n'
ROSTER = "id,name,email\n1,Ana Silva,ana@x.edu\n2,Dora,\n3,Emil,\n"
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)


@pytest.fixture
def place(one_check_course: Course, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(one_check_course.root)
    return with_settings(one_check_course.root, MANUAL)


def hand_in(root: Path, entry: str) -> None:
    put(root / "submissions" / entry / "work.py", WORK)


def decide(*words: str) -> int:
    return main(["override", *words, "--why", "because"])


def test_a_class_with_a_part_for_people_a_damaged_entry_and_one_who_is_missing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(place, "Ana Silva")
    put(place / "submissions" / "Dora" / "week1.zip", b"PK no zip")
    status, output = batch(place, "--missing", "zero", roster=ROSTER)
    assert status == 1 and "not graded: Dora week1" in output
    assert "provisional until a person grades it: week1 Code quality: 1 student" in output
    assert "nothing handed in, counts as 0: 1 (Emil week1)" in output
    found = rows(place)
    assert [(found[name]["week1"], found[name]["week1 state"]) for name in ("Ana Silva", "Dora", "Emil")] == [
        ("", "provisional"), ("", "not gradable"), ("0", "nothing handed in"),
    ]  # fmt: skip
    page = place / "reports" / "index.html"
    assert "To be graded by a person" in page.read_text()
    folder = place / "reports" / "students"
    assert "Nothing was handed in" in next(folder.glob("Emil*/week1/report.md")).read_text()
    assert decide("ana@x.edu", "week1", "style", "8") == decide("Dora", "week1", "week", "70") == 0
    status, output = batch(place, roster=ROSTER)  # zero holds from run to run
    assert status == 0 and "graded 0, unchanged 1" in output
    found = rows(place)
    assert {name: one["total"] for name, one in found.items()} == {"Ana Silva": "108", "Dora": "70", "Emil": "0"}
    assert decide("Emil", "week1", "week", "excused") == 0
    hand_in(place, "Emil")
    monkeypatch.setattr("grader.gradebook.attempts.now", lambda: "2100-01-01T00:00:00Z")
    status, output = batch(place, "--missing", "empty", roster=ROSTER)
    assert status == 0 and "graded 1" in output
    assert "NEWER WORK WOULD SCORE MORE: 1;" in output
    assert "\n  Emil week1 the week: excused, and would be 100\n" in output
    assert (rows(place)["Emil"]["week1"], rows(place)["Emil"]["week1 state"]) == ("", "excused")
    assert "**This week is excused.**" in next(folder.glob("Emil*/week1/report.md")).read_text()


def test_a_changed_part_shows_in_reports_without_grading_again(place: Path) -> None:
    hand_in(place, "Ana Silva")
    assert batch(place)[0] == 0
    settings = place / "assignments" / "week1" / "assignment.toml"
    settings.write_text(settings.read_text().replace("Code quality", "Readable code"))
    output = batch(place)[1]
    assert "graded 0, unchanged 1" in output
    assert "Readable code" in next((place / "reports" / "students").glob("*/week1/report.md")).read_text()


def answer(text: str) -> bytes:
    cells = [{"cell_type": "markdown", "source": one, "metadata": {}} for one in ("# Code quality", text)]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()


@pytest.mark.parametrize("carried", [10**6, 0])
def test_an_answer_beside_the_modules_is_kept_for_who_grades_it_and_grades_nothing_again(
    place: Path, carried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.batch.run.BatchOptions.most_carried", carried)

    def kept() -> list[list[str]]:
        with Gradebook(place / "reports" / "gradebook.sqlite") as book:
            packed = [book.answers(digest) for digest in book.answered().values()]
        return [[cell.text for cell in unpacked(raw).of("style")[0]] for raw in packed]

    hand_in(place, "Ana Silva")
    hand_in(place, "Ben")
    notebook = place / "submissions" / "Ana Silva" / "week1.ipynb"
    put(notebook, answer("one"))
    assert batch(place)[0] == 0
    assert kept() == [["# Code quality", "one"]]
    put(notebook, answer("two"))
    assert "graded 0, unchanged 2" in batch(place)[1]
    assert kept() == [["# Code quality", "two"]]
    with sqlite3.connect(place / "reports" / "gradebook.sqlite") as book:
        book.execute("UPDATE answers SET cells = x'00'")
    book.close()
    assert "graded 2" in batch(place, "--regrade")[1]
    assert kept() == [["# Code quality", "two"]]
    notebook.unlink()
    assert "graded 0, unchanged 2" in batch(place)[1]
    assert kept() == []


@pytest.fixture
def due_yesterday(tmp_path: Path) -> Course:
    root = copied("light", tmp_path / "course")
    settings = (root / "assignments" / "week1" / "assignment.toml").read_bytes()
    put(root / "assignments" / "week2" / "assignment.toml", settings.replace(b"week1", b"week2"))
    return Course(with_settings(root, f"due = {(NOW - timedelta(days=1)).isoformat()}"))


def graded(student: str, week: str = "week1") -> Report:
    check = CheckResult("t.py::one", "1.1", "One", False, 0, 10, Outcome.FAILED)
    return Report(student, week, 0, "0.1.0", "a" * 64, "b" * 64, (check,))


def zeros(course: Course, book: Gradebook, roster: Roster | None = None, wanted: str | None = None) -> list[str]:
    return [student for student, _ in note_missing(course, roster or Roster(), book, wanted, NOW)]


def test_zero_is_for_those_alone_of_whom_nothing_came_when_it_was_due(due_yesterday: Course, tmp_path: Path) -> None:
    names = ("Ana", "Bo", "Cy", "Dora", "Emil", "Finn")
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        book.save_people([Person(name, folder=name, listed=name != "Finn") for name in names])
        assert zeros(due_yesterday, book, wanted=ZERO) == []  # nobody has handed in anything: the week has not come
        book.record(graded("Ana"))
        book.record_problem("Bo", "week1", "damaged")
        book.record_problem("Cy", None, "damaged")
        extended = Roster((Student("Dora", extensions={"week1": timedelta(days=2)}),)).under(["Dora"])
        assert zeros(due_yesterday, book, extended) == ["Emil"]
        assert zeros(due_yesterday, book) == ["Dora", "Emil"]
        book.override(Override("Emil", "week1", "week", 4, "spoke", "tom", "2026-10-05T10:00:00Z"))
        assert {one.student: one.final for one in book.current() if one.by_hand} == {"Dora": 0, "Emil": 4}
        book.record(graded("Dora"))
        assert zeros(due_yesterday, book) == []
        assert zeros(due_yesterday, book, wanted=EMPTY) == []
        assert {one.student for one in book.current()} == {"Ana", "Dora", "Emil"}


def test_one_submission_alone_is_told_what_people_grade_later(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(place / "work" / "work.py", WORK)
    monkeypatch.setattr("grader.batch.single.grade_alone", lambda root, job, sandbox: graded(job.student))
    assert main(["run", "week1", "--submission", "work", "--sandbox", "process"]) == 0
    assert "note: Code quality (10 points) is graded by a person, and is not in this score" in capsys.readouterr().out
