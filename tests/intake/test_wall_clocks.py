"""Blackboard and Brightspace keep every attempt, with the time on a clock where the course is held."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.course import Course
from grader.intake import Candidate, survey
from grader.intake.lateness import lateness
from grader.intake.layouts.brightspace import time_of
from grader.results import Late
from tests.support.courses import with_settings
from tests.support.makers import put

LENET = b"class LeNet: ...\n"
DUE = 'due = 2026-10-05T23:59:00+02:00\ntime_zone = "Europe/Berlin"'


@pytest.fixture
def due_course(two_weeks_course: Course) -> Course:
    return Course(with_settings(two_weeks_course.root, DUE, "week5"))


def by_student(folder: Path, course: Course) -> dict[str, Candidate]:
    return {one.student: one for one in survey(folder, course).candidates}


def late(course: Course, candidate: Candidate) -> Late | None:
    return lateness(course.assignment("week5"), candidate.handed, None)


def test_blackboard_s_times_are_those_of_the_course(due_course: Course, tmp_path: Path) -> None:
    for login, at in (("ann", "2026-10-05-23-58-59"), ("bo", "2026-10-06-00-00-01")):
        put(tmp_path / "class" / f"HW_{login}_attempt_{at}_lenet.py", LENET)
    found = by_student(tmp_path / "class", due_course)
    assert late(due_course, found["ann"]) is None
    assert late(due_course, found["bo"]) == Late(1, 0)


@pytest.mark.parametrize(
    ("names", "logins"),
    [
        (["Week 5_ann", "Week 5_bo"], {"ann", "bo"}),
        (["Week_5_ann_m", "Week_5_ann_n"], {"m", "n"}),  # nothing tells that from a column `Week_5_ann`
        (["Week 5_ann"], {"ann"}),
        (["Week 5_a_b", "Week 5_ab"], {"a_b", "ab"}),
        (["Lab_2_4711", "Lab_2_4712"], {"4711", "4712"}),
    ],
)
def test_a_login_is_what_a_column_s_name_leaves(
    two_weeks_course: Course, tmp_path: Path, names: list[str], logins: set[str]
) -> None:
    for name in names:
        put(tmp_path / "class" / f"{name}_attempt_2026-10-05-20-15-30_lenet.py", LENET)
    result = survey(tmp_path / "class", two_weeks_course)
    assert (result.layout, {one.student for one in result.candidates}) == ("blackboard", logins)


def test_what_was_typed_and_what_names_no_week_have_their_time_by_the_same_clock(
    due_course: Course, tmp_path: Path
) -> None:
    for name in ("HW_ann_attempt_2026-10-05-23-58-59_lenet.py", "HW_bo_attempt_2026-10-05-23-58-59.txt"):
        put(tmp_path / "class" / name, LENET)
    put(tmp_path / "class" / "HW_cy_attempt_2026-10-06-00-00-01_notes.txt", b"see my page")
    result = survey(tmp_path / "class", due_course)
    found = {one.student: one for one in (*result.candidates, *result.typed)}
    assert {one.week for one in found.values()} == {"week5"}
    assert [late(due_course, found[name]) for name in ("ann", "bo", "cy")] == [None, None, Late(1, 0)]


@pytest.mark.parametrize(
    ("receipt", "student", "login"),
    [
        ("Name: Ann Miller (ann_m)", "Ann Miller", "ann_m"),
        ("Vollständiger Name: Dr. Ann (Anna) Miller-Ek (ann_m)", "Dr. Ann (Anna) Miller-Ek", "ann_m"),
        ("姓名：安 (ANN_M)", "安", "ann_m"),
        ("Name: Ann Miller (bo)", "m", "m"),  # another login than that of the files
        ("Name: Ann Miller", "m", "m"),
        ("", "m", "m"),
    ],
)
def test_a_receipt_names_the_student_and_tells_the_login_from_the_column(
    two_weeks_course: Course, tmp_path: Path, receipt: str, student: str, login: str
) -> None:
    for before, line in (("Week_5_ann_m", receipt), ("Week_5_ann_n", "Name: Anton Nowak (ann_n)")):
        put(tmp_path / "class" / f"{before}_attempt_2026-10-05-20-15-30_lenet.py", LENET)
        put(tmp_path / "class" / f"{before}_attempt_2026-10-05-20-15-30.txt", f"{line}\r\nName: Eve (x)\r\n".encode())
    found = {one.student: one.who for one in survey(tmp_path / "class", two_weeks_course).candidates}
    assert set(found) == {student, "Anton Nowak"}
    who = found[student]
    assert who is not None and who.login == login and found["Anton Nowak"] is not None


def test_two_of_one_name_are_told_apart_by_their_logins(two_weeks_course: Course, tmp_path: Path) -> None:
    for login in ("js1", "js2"):
        put(tmp_path / "class" / f"HW_{login}_attempt_2026-10-05-20-15-30_lenet.py", LENET)
        put(tmp_path / "class" / f"HW_{login}_attempt_2026-10-05-20-15-30.txt", f"Name: Jo Smith ({login})".encode())
    found = {one.student for one in survey(tmp_path / "class", two_weeks_course).candidates}
    assert found == {"Jo Smith (js1)", "Jo Smith (js2)"}


def test_the_latest_attempt_with_a_file_counts_and_no_attempt_is_a_student(
    two_weeks_course: Course, tmp_path: Path
) -> None:
    put(tmp_path / "class" / "HW_ann_attempt_2026-10-01-00-00-00_lenet.py", b"class LeNet: ...\n# first\n")
    put(tmp_path / "class" / "HW_ann_attempt_2026-10-02-00-00-00_lenet.py", LENET)
    put(tmp_path / "class" / "HW_ann_attempt_2026-10-03-00-00-00.txt", b"Name: Ann\nplease look at the second one")
    put(tmp_path / "class" / "HW_bo_attempt_2026-10-03-00-00-00.txt", b"Name: Bo\nhttps://colab")
    result = survey(tmp_path / "class", two_weeks_course)
    (ann,) = result.candidates
    assert (ann.student, ann.path.name) == ("ann", "HW_ann_attempt_2026-10-02-00-00-00_lenet.py")
    assert ann.handed is not None and ann.handed.notes == ("a later attempt holds no file",)
    assert [one.student for one in result.typed] == ["bo"]
    assert set(result.ignored) == {
        ("HW_ann_attempt_2026-10-01-00-00-00_lenet.py", "an earlier attempt of ann"),
        ("HW_bo_attempt_2026-10-03-00-00-00.txt", "text typed into Blackboard"),
    }


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("Oct 5, 2026 815 PM", datetime(2026, 10, 5, 20, 15)),
        ("Oct 5, 2026 1215 AM", datetime(2026, 10, 5, 0, 15)),
        ("October 5, 2026 12:15 PM", datetime(2026, 10, 5, 12, 15)),
        ("5 October, 2026 2015", datetime(2026, 10, 5, 20, 15)),
        ("5 octobre 2026 2015", datetime(2026, 10, 5, 20, 15)),
        ("5 Dezember 2026 2015", None),
        ("Oct 35, 2026 815 PM", None),
        ("Oct 5, 2026 2575", None),
    ],
)
def test_brightspace_s_times_are_read_where_that_is_certain(text: str, time: datetime | None) -> None:
    assert time_of(text) == time


def test_of_brightspace_s_folders_the_latest_counts_or_the_grader_asks(due_course: Course, tmp_path: Path) -> None:
    put(tmp_path / "class" / "1-9 - Ann Lee - Oct 5, 2026 900 AM" / "lenet.py", LENET)
    put(tmp_path / "class" / "1-9 - Ann Lee - Oct 6, 2026 100 AM" / "lenet.py", LENET)
    put(tmp_path / "class" / "2-9 - Bo Li - 5 Dezember 2026 2015" / "lenet.py", LENET)
    put(tmp_path / "class" / "3-9 - Cy Xu - 5 Dezember 2026 2015" / "lenet.py", LENET)
    put(tmp_path / "class" / "3-9 - Cy Xu - 6 Dezember 2026 2015" / "lenet.py", LENET)
    found = by_student(tmp_path / "class", due_course)
    assert set(found) == {"Ann Lee", "Bo Li", "Cy Xu"}
    assert late(due_course, found["Ann Lee"]) == Late(1, 0)
    assert found["Bo Li"].handed is not None and found["Bo Li"].handed.at is None
    assert found["Cy Xu"].problem.startswith("nothing tells which is the latest of 3-9 - Cy Xu - 5 Dezember")
    assert found["Cy Xu"].week == "week5"


def test_a_clock_without_a_course_s_zone_is_read_as_utc(two_weeks_course: Course, tmp_path: Path) -> None:
    put(tmp_path / "class" / "HW_ann_attempt_2026-10-05-23-58-59_lenet.py", LENET)
    handed = by_student(tmp_path / "class", two_weeks_course)["ann"].handed
    assert handed is not None and handed.at == datetime(2026, 10, 5, 23, 58, 59, tzinfo=UTC)
