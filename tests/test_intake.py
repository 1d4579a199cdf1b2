"""Finding and reading submissions in every wrapping."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from grader.assignment import Course
from grader.errors import SubmissionError, UsageError
from grader.intake import discover, load, load_folder, safe_name

LENET = b"class LeNet:\n    pass\n"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    for week, module, source in (("week4", "mlp", "class MLP: ..."), ("week5", "lenet", "class LeNet: ...")):
        folder = tmp_path / "course" / "assignments" / week
        folder.mkdir(parents=True)
        (folder / "assignment.toml").write_text(f'week = "{week}"\ntitle = "T"\nmodules = ["{module}"]\n')
        (folder / f"{module}.py").write_text(source)
    return Course(tmp_path / "course")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


def put(path: Path, content: bytes = LENET) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/") + ".py", content)
    return buffer.getvalue()


def notebook(*cells: str) -> bytes:
    made = [{"cell_type": "code", "source": c, "metadata": {}, "outputs": [], "execution_count": None} for c in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()


@pytest.mark.parametrize(
    "place", ["lenet.py", "week5/lenet.py", "Week 5/lenet.py", "repo/assignments/week5/lenet.py", "a/b/lenet.py"]
)
def test_a_module_is_found_wherever_it_lies(course, inbox, place):
    put(inbox / "ada" / place)
    (found,) = discover(inbox, course, None)
    assert (found.student, found.week) == ("ada", "week5")
    assert load(found).files == {"lenet.py": LENET}


@pytest.mark.parametrize("name", ["ada.zip", "ada/hw.zip"])
def test_a_zip_is_as_good_as_a_folder(course, inbox, name):
    put(inbox / name, zipped(week_05__lenet=LENET))
    (found,) = discover(inbox, course, None)
    assert found.student == "ada"
    assert load(found).files == {"lenet.py": LENET}


def test_a_notebook_is_converted_and_real_modules_win(course, inbox):
    put(inbox / "ada.ipynb", notebook("class LeNet:\n    size = 1"))
    put(inbox / "bob" / "hw.ipynb", notebook("class LeNet:\n    size = 1"))
    put(inbox / "bob" / "lenet.py")
    ada, bob = (load(found) for found in discover(inbox, course, ["week5"]))
    assert b"size = 1" in ada.files["lenet.py"]
    assert bob.files == {"lenet.py": LENET}


def test_every_week_that_is_there_is_found_and_tests_are_left_out(course, inbox):
    for name in ("week4/mlp.py", "week5/lenet.py", "week5/test_week5.py", "week5/conftest.py", "week5/helper.py"):
        put(inbox / "ada" / name)
    found = discover(inbox, course, None)
    assert [c.week for c in found] == ["week4", "week5"]
    assert set(load(found[1]).files) == {"lenet.py", "helper.py"}


def test_nothing_found_is_said_for_that_student(course, inbox):
    put(inbox / "ada" / "essay.txt")
    put(inbox / "bob" / "lenet.py")
    found = discover(inbox, course, ["week5"])
    with pytest.raises(SubmissionError, match="no Python module of week5 found in ada"):
        load(found[0])
    assert load(found[1]).files


def test_links_are_not_followed(course, inbox, tmp_path):
    put(tmp_path / "secret.py", b"x = 1\n")
    put(inbox / "ada" / "lenet.py")
    (inbox / "ada" / "stolen.py").symlink_to(tmp_path / "secret.py")
    submission = load_folder(inbox / "ada", course.assignment("week5"))
    assert set(submission.files) == {"lenet.py"}
    assert any("stolen.py" in note for note in submission.notes)


def test_a_folder_that_makes_no_sense_is_a_usage_error(course, inbox):
    with pytest.raises(UsageError, match="no such folder"):
        discover(inbox / "nowhere", course, None)
    with pytest.raises(UsageError, match="no submission in"):
        discover(inbox, course, None)
    put(inbox / "ada.py")
    with pytest.raises(UsageError, match="not a folder"):
        discover(inbox / "ada.py", course, None)
    with pytest.raises(UsageError, match="known weeks: week4, week5"):
        discover(inbox, course, ["week9"])


def test_too_many_files_are_refused(course, inbox):
    for number in range(201):
        put(inbox / "ada" / "week5" / f"m{number}.py")
    put(inbox / "ada" / "week5" / "lenet.py")
    with pytest.raises(SubmissionError, match="200 files"):
        load(discover(inbox, course, None)[0])


def test_names_are_safe_and_never_collide():
    assert safe_name("ada") == "ada"
    names = ["ada", "Ada", "a/b", "a_b", "a\\b", "..", ".", "", "é", "e\u0301", "x\u202ey", "x_y", ".ada"]
    safe = [safe_name(name) for name in names]
    assert len({name.lower() for name in safe}) == len(names)
    assert not any(set(name) & set("/\\\u202e") or name.startswith(".") for name in safe)
    assert safe_name(safe_name("Ada")) != safe_name("Ada")
