"""Each run notes how work came: which files, which attempt, when, with what extension, for whom; reports follow."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from grader.batch.deliveries import note_deliveries
from grader.batch.run import BatchOptions, find_class, grade_class
from grader.batch.who import record_members
from grader.course import Course
from grader.gradebook import Gradebook
from grader.gradebook.deliveries import Route
from grader.reports.progress import Progress
from tests.support.backends import Passing
from tests.support.makers import put

WORK = b"def answer():\n    return 1\n"


def noted(course: Course, folder: Path, roster: str = "") -> dict[tuple[str, ...], Route]:
    """Find a class and note its deliveries; return them."""
    file = course.root / "roster.csv"
    file.write_text(roster, encoding="utf-8")
    options = BatchOptions(folder, course.root / "reports", roster=file if roster else None)
    with Gradebook(options.out / "gradebook.sqlite") as book:
        _, members = find_class(course, options, book=book)
        record_members(members, folder, book)
        note_deliveries(course, members.candidates, members.roster, book)
        return book.deliveries()


@pytest.fixture
def module(one_check_course: Course) -> str:
    (name,) = one_check_course.assignment("week1").modules
    return f"{name}.py"


def test_files_have_the_names_that_the_student_gave_them(one_check_course: Course, module: str, tmp_path: Path) -> None:
    folder = tmp_path / "canvas"
    again = module.replace(".py", "-1.py")
    put(folder / f"silvaana_1001_5001_{again}", WORK)
    put(folder / f"liben_LATE_1002_5002_{module}", WORK)
    found = noted(one_check_course, folder)
    shown = {student: (route.layout, route.shown.files) for (student, _), route in found.items()}
    assert shown == {"silvaana (1001)": ("canvas", (again,)), "liben (1002)": ("canvas", (module,))}
    assert found["silvaana (1001)", "week1"].entries == (f"silvaana_1001_5001_{again}",)


def test_times_and_extensions_are_told_where_the_course_is(
    one_check_course: Course, module: str, tmp_path: Path
) -> None:
    config = one_check_course.root / "assignments" / "week1" / "assignment.toml"
    config.write_text(f'due = 2026-10-24T23:59:00+02:00\ntime_zone = "Europe/Berlin"\n{config.read_text()}')
    put(tmp_path / "class" / "ana" / module, WORK)
    put(tmp_path / "class" / "ben" / module, WORK)
    roster = (
        "name,extensions,submitted\nana,week1=+2d,week1=2026-10-26T10:00+00:00\n"
        "ben,week1=2026-11-01T12:00+01:00,\ncleo,,\n"
    )
    found = noted(one_check_course, tmp_path / "class", roster)
    ana, ben = (found[name, "week1"].shown for name in ("ana", "ben"))
    # Clocks are put back on 25 October 2026, and a day is a calendar day.
    assert (ana.at, ana.due) == ("2026-10-26 11:00 (UTC+01:00)", "2026-10-26 23:59 (UTC+01:00)")
    assert (ana.extension, ben.extension) == ("2 days more", "until 2026-11-01 12:00 (UTC+01:00)")
    kept = noted(one_check_course, tmp_path / "class")  # a run without a roster goes by the last one
    assert kept["ana", "week1"].shown.extension == "2 days more"
    without = noted(one_check_course, tmp_path / "class", "name,extensions\nana,\nben,\n")
    assert without["ana", "week1"].shown.extension == ""


def test_members_of_a_group_are_named_in_each_of_their_reports(
    one_check_course: Course, module: str, tmp_path: Path
) -> None:
    put(tmp_path / "class" / "ana" / module, WORK)
    found = noted(one_check_course, tmp_path / "class", "name,group\nana,T1\nben,T1\ncleo,\n")
    assert {key[0]: (route.shown.group, route.shown.members) for key, route in found.items()} == {
        "ana": ("T1", ("ana", "ben")),
        "ben": ("T1", ("ana", "ben")),
    }


def test_a_changed_delivery_has_the_report_written_anew_and_an_equal_one_has_not(
    one_check_course: Course, module: str, tmp_path: Path
) -> None:
    put(tmp_path / "class" / "ana" / module, WORK)
    page = one_check_course.root / "reports" / "students" / "ana" / "week1" / "report.html"
    noted(one_check_course, tmp_path / "class", "name,group\nana,T1\n")
    put(page, b"current")
    noted(one_check_course, tmp_path / "class", "name,group\nana,T1\n")
    assert page.exists()
    noted(one_check_course, tmp_path / "class", "name,group\nana,T2\n")
    assert not page.exists()


def graded(course: Course, folder: Path) -> Gradebook:
    """Grade a class, and open its gradebook."""
    options = BatchOptions(folder, course.root / "reports", seed=0)
    grade_class(course, options, Passing(course), Progress(Console(file=io.StringIO()), ""))
    return Gradebook(options.out / "gradebook.sqlite")


def test_a_report_follows_the_work_and_code_is_kept_of_every_attempt(
    one_check_course: Course, module: str, tmp_path: Path
) -> None:
    file = put(tmp_path / "class" / "ana" / module, WORK)
    with graded(one_check_course, file.parents[1]) as book:
        (first,) = book.current()
        assert book.sources(first.submission) == {module: WORK.decode()}
    page = one_check_course.root / "reports" / "students" / "ana" / "week1" / "report.md"
    assert "Attempt: the first that was graded" in page.read_text("utf-8")
    file.write_bytes(WORK + b"# mended\n")
    with graded(one_check_course, file.parents[1]) as book:
        (second,) = book.current()
        assert second.submission != first.submission
        assert book.kept_sources() == {first.submission, second.submission}  # the desk shows what changed
    assert "Attempt: number 2 that was graded, the latest" in page.read_text("utf-8")


def test_code_that_an_older_run_has_not_kept_is_kept_by_the_next(
    one_check_course: Course, module: str, tmp_path: Path
) -> None:
    put(tmp_path / "class" / "ana" / module, WORK)
    with graded(one_check_course, tmp_path / "class") as book, book.transaction() as database:
        database.execute("DELETE FROM sources")
    with graded(one_check_course, tmp_path / "class") as book:
        assert len(book.history("ana", "week1")) == 1
        assert book.kept_sources() == {report.submission for report in book.current()}
