"""Who hands in text or a link in place of a file has handed in something: no zero, and a person looks at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.batch.who import Members, find_members
from grader.course import Course
from grader.intake import survey
from grader.intake.roster import Roster, read_roster
from tests.support.makers import put

LENET = b"class LeNet: ...\n"
ROSTER = "name,id,login\nAnn Lee,1,ann\nBo Li,2,bo\nCy Xu,3,cy\n"


def canvas(root: Path) -> None:
    put(root / "leeann_1_10_lenet.py", LENET)
    put(root / "leeann_1_text.html", b"see file")
    put(root / "libo_2_link.html", b"colab")


def moodle(root: Path) -> None:
    put(root / "Ann Lee_71_assignsubmission_file_" / "lenet.py", LENET)
    put(root / "Ann Lee_71_assignsubmission_onlinetext_" / "onlinetext.html", b"see file")
    put(root / "Bo Li_72_assignsubmission_onlinetext_" / "onlinetext.html", b"colab")


def blackboard(root: Path) -> None:
    put(root / "HW_ann_attempt_2026-10-03-00-00-00_lenet.py", LENET)
    put(root / "HW_ann_attempt_2026-10-03-00-00-00.txt", b"")
    put(root / "HW_bo_attempt_2026-10-03-00-00-00.txt", b"colab")


def look(folder: Path, course: Course, roster: str = "") -> Members:
    listed = read_roster(put(folder.parent / "roster.csv", roster.encode())) if roster else Roster()
    return find_members(survey(folder, course), listed, folder)


@pytest.mark.parametrize("make", [canvas, moodle, blackboard])
def test_typed_text_of_somebody_of_the_class_is_not_gradable(
    two_weeks_course: Course, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "class")
    members = look(tmp_path / "class", two_weeks_course, ROSTER)
    assert members.missing == ("Cy Xu",)
    problems = {one.student: (one.week, one.problem) for one in members.candidates}
    assert problems["Ann Lee"] == ("week5", "")
    week, problem = problems["Bo Li"]
    assert week == "week5" and "and no file: look at " in problem


@pytest.mark.parametrize("make", [canvas, moodle, blackboard])
def test_typed_text_makes_nobody(two_weeks_course: Course, tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "class")
    members = look(tmp_path / "class", two_weeks_course)
    assert len(members.candidates) == len(members.people) == 1


def test_of_two_with_the_name_of_who_typed_nobody_is_guessed(two_weeks_course: Course, tmp_path: Path) -> None:
    moodle(tmp_path / "class")
    members = look(tmp_path / "class", two_weeks_course, "name,id\nAnn Lee,1\nBo Li,2\nBo Li,3\n")
    assert [one.student for one in members.candidates] == ["Ann Lee"]


def test_what_has_no_week_is_of_the_week_of_its_download(two_weeks_course: Course, tmp_path: Path) -> None:
    put(tmp_path / "class" / "leeann_1_10_lenet.py", LENET)
    put(tmp_path / "class" / "libo_2_11_report.pdf", b"%PDF")
    found = {one.student: one.week for one in survey(tmp_path / "class", two_weeks_course).candidates}
    assert found == {"leeann (1)": "week5", "libo (2)": "week5"}
