"""A class of one entry a student is told from one student's folder, and from what would only make students up."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.cli.main import main
from grader.course import Course
from grader.errors import UsageError
from grader.intake import Survey, refuse_class, survey
from tests.intake.folders.wrapping import DOWNLOADS, LENET, MLP, ZIP, canvas, packed
from tests.support.makers import notebook, put


@pytest.fixture
def hall(tmp_path: Path) -> Path:
    return put(tmp_path / "class" / ".keep").parent


def listed(found: Survey) -> list[tuple[str, str | None]]:
    return [(candidate.student, candidate.week) for candidate in found.candidates]


HANDED_IN = {
    "folders": ("{}/lenet.py", LENET),
    "folders of weeks": ("{}/week5/lenet.py", LENET),
    "checkouts": ("{}/assignments/week5/lenet.py", LENET),
    "zips": ("{}.zip", ZIP),
    "notebooks": ("{}.ipynb", notebook("class LeNet:\n    size = 1")),
}


@pytest.mark.parametrize("stray", ["week5/lenet.py", "week5/src/lenet.py", "Week 5/lenet.py", "hw4/mlp.py"])
@pytest.mark.parametrize("kind", HANDED_IN)
def test_a_weeks_folder_beside_students_swallows_nobody(
    kind: str, stray: str, two_weeks_course: Course, hall: Path
) -> None:
    name, content = HANDED_IN[kind]
    for student in ("ana", "bo", "cy"):
        put(hall / name.format(student), content)
    put(hall / stray, MLP if "mlp" in stray else LENET)
    found = survey(hall, two_weeks_course)
    assert listed(found) == [(student, "week5") for student in ("ana", "bo", "cy")]
    assert found.ignored[1:] == (
        (stray.partition("/")[0], "a week's folder beside students, and nobody's by its name"),
    )


def test_one_student_beside_a_weeks_folder_is_a_student(two_weeks_course: Course, hall: Path) -> None:
    put(hall / "Ana Silva" / "lenet.py", LENET)
    put(hall / "week5" / "lenet.py", LENET)
    assert listed(survey(hall, two_weeks_course)) == [("Ana Silva", "week5")]


@pytest.mark.parametrize("copy", ["old", "backup", "copy", "v2", "src", "old_2", "final", "submission"])
def test_a_students_own_copy_beside_the_weeks_folder_is_no_student(
    copy: str, two_weeks_course: Course, hall: Path
) -> None:
    put(hall / "ana" / copy / "lenet.py", LENET)
    put(hall / "ana" / "week5" / "lenet.py", LENET)
    assert listed(survey(hall / "ana", two_weeks_course)) == [("ana", "week5")]


def test_a_week_in_which_only_one_has_handed_in_is_a_week(two_weeks_course: Course, hall: Path) -> None:
    for place in ("week4/ana/mlp.py", "week4/bo/mlp.py", "week5/cy/lenet.py"):
        put(hall / place, MLP if "mlp" in place else LENET)
    found = survey(hall, two_weeks_course)
    assert listed(found) == [("ana", "week4"), ("bo", "week4"), ("cy", "week5")]


# Students who are none


def test_single_files_of_one_student_make_no_class(three_weeks_course: Course, hall: Path) -> None:
    for name, content in (("x_lenet", b"class LeNet: ..."), ("y_training", b"def make_transforms(): ..."), ("z", b"")):
        put(hall / f"{name}.py", content)
    with pytest.raises(UsageError) as caught:
        survey(hall, three_weeks_course, ["week5"])
    message = str(caught.value)
    assert "3 of 3 students would lack modules (x_lenet, y_training, z)" in message
    assert "it looks like the files of one student" in message and "--layout plain" in message
    assert len(survey(hall, three_weeks_course, ["week5"], "plain").candidates) == 3


def test_a_folder_of_something_else_is_no_class(two_weeks_course: Course, hall: Path) -> None:
    for name in ("music", "photos", "taxes"):
        put(hall / name / "x.txt", b"")
    with pytest.raises(UsageError, match="it looks like a folder of something else"):
        survey(hall, two_weeks_course)


def test_the_stop_names_the_platform_that_it_thinks_of(three_weeks_course: Course, hall: Path) -> None:
    put(hall / "silvaana_1001_5001_lenet.py", b"class LeNet: ...")
    for name in ("a", "b", "c", "d"):
        put(hall / name / "lenet.py", b"class LeNet: ...")
    with pytest.raises(UsageError, match="1 entries are named as Canvas does"):
        survey(hall, three_weeks_course)


def test_half_a_class_may_lack_modules(three_weeks_course: Course, hall: Path) -> None:
    for name in ("ana", "bo"):
        put(hall / name / "week5" / "lenet.py", b"class LeNet: ...")
        put(hall / name / "week5" / "training.py", b"def make_transforms(): ...")
    for name in ("cy", "di"):
        put(hall / name / "week5" / "lenet.py", b"class LeNet: ...")
    assert len(survey(hall, three_weeks_course).candidates) == 4


def test_a_week_that_few_have_begun_stops_nobody(two_weeks_course: Course, hall: Path) -> None:
    for name in ("ana", "bo", "cy", "di"):
        put(hall / name / "week4" / "mlp.py", MLP)
    put(hall / "ana" / "week5" / "lenet.py", LENET)
    found = survey(hall, two_weeks_course, ["week5"])
    assert [bool(one.problem) for one in found.candidates] == [False, True, True, True]


def test_what_cannot_be_read_stops_nobody(two_weeks_course: Course, hall: Path) -> None:
    for name in ("ana", "bo", "cy"):
        put(hall / f"{name}.zip", b"PK")
    assert all(one.problem for one in survey(hall, two_weeks_course).candidates)


# A class is no single submission


@pytest.mark.parametrize("kind", DOWNLOADS)
@pytest.mark.parametrize("form", ["folder", "zip", "folder around"])
def test_a_download_is_no_single_submission(kind: str, form: str, two_weeks_course: Course, hall: Path) -> None:
    _, name, make, _ = DOWNLOADS[kind]
    make(hall / "c" / name)
    given = {"folder": hall / "c" / name, "folder around": hall / "c"}.get(form)
    with pytest.raises(UsageError, match=r"is a download from .*`run` cannot grade it"):
        refuse_class(given or packed(hall / "c" / name, hall / f"{name}.zip"), two_weeks_course.assignment("week5"))


@pytest.mark.parametrize("kind", ["folders", "folders of weeks", "checkouts", "zips"])
def test_a_plain_class_is_no_single_submission(kind: str, two_weeks_course: Course, hall: Path) -> None:
    name, content = HANDED_IN[kind]
    for student in ("ana", "bo"):
        put(hall / name.format(student), content)
    put(hall / "grades.csv", b"")
    with pytest.raises(UsageError, match="holds several students' work"):
        refuse_class(hall, two_weeks_course.assignment("week5"))


OWN = {
    "a module": ["lenet.py"],
    "a week": ["week5/lenet.py"],
    "a checkout with an old copy": ["assignments/week5/lenet.py", "old/week5/lenet.py", "README.md"],
    "two copies": ["old/lenet.py", "new/lenet.py"],
    "a checkout and something else": ["mine/week5/lenet.py", "hers/week5/lenet.py", "docs/x.txt"],
    "a week and a copy of another name": ["week5/lenet.py", "ana/lenet.py"],
}


@pytest.mark.parametrize("files", OWN.values(), ids=OWN)
def test_a_students_own_folder_is_a_single_submission(files: list[str], two_weeks_course: Course, hall: Path) -> None:
    for file in files:
        put(hall / "ana" / file, LENET)
    refuse_class(hall / "ana", two_weeks_course.assignment("week5"))


def test_run_refuses_a_class_in_one_line(hall: Path, capsys: pytest.CaptureFixture[str]) -> None:
    canvas(hall / "c")
    assert main(["run", "week5", "--submission", str(hall / "c")]) == 2
    said = capsys.readouterr().err
    assert "is a download from Canvas, so `run` cannot grade it: grade a class with `batch`" in said
