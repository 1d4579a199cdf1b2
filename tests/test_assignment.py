"""Reading assignment.toml, and what makes an assignment another one."""

from pathlib import Path

import pytest

from grader.assignment import Course, find_course
from grader.errors import CourseError, UsageError

TOML = 'week = "week5"\ntitle = "T"\nmodules = ["lenet"]\n'


@pytest.fixture
def course(tmp_path: Path) -> Course:
    public, hidden = tmp_path / "assignments" / "week5", tmp_path / "solutions" / "week5"
    fixtures = tmp_path / "fixtures"
    for folder in (public, hidden, fixtures):
        folder.mkdir(parents=True)
    (public / "assignment.toml").write_text(TOML)
    for file in (public / "test_week5.py", hidden / "test_hidden.py"):
        file.write_text("from fixtures import digits\n")
    for file in (public / "probes.py", hidden / "probes_hidden.py", fixtures / "digits.py", public / "lenet.py"):
        file.write_text("x = 1\n")
    return Course(tmp_path)


def test_what_the_file_says_is_read(course):
    assignment = course.assignment("week5")
    assert (assignment.title, assignment.modules, assignment.memory_mb) == ("T", ("lenet",), 3072)
    assert [path.name for path in assignment.check_files] == ["test_week5.py", "test_hidden.py"]
    assert list(course.assignments()) == ["week5"]


@pytest.mark.parametrize(
    "file",
    [
        "assignments/week5/test_week5.py",
        "assignments/week5/probes.py",
        "assignments/week5/assignment.toml",
        "solutions/week5/test_hidden.py",
        "solutions/week5/probes_hidden.py",
        "fixtures/digits.py",
    ],
)
def test_the_digest_changes_with_whatever_can_change_a_grade(course, file):
    before = course.assignment("week5").digest
    with (course.root / file).open("a") as opened:
        opened.write("# changed\n")
    assert course.assignment("week5").digest != before


def test_a_working_copy_of_a_module_does_not_change_the_digest(course):
    before = course.assignment("week5").digest
    (course.root / "assignments/week5/lenet.py").write_text("y = 2\n")
    assert course.assignment("week5").digest == before


def test_the_salt_follows_the_hidden_material_and_is_not_the_digest(course):
    before = course.assignment("week5")
    (course.root / "assignments/week5/probes.py").write_text("y = 2\n")
    assert course.assignment("week5").salt == before.salt
    (course.root / "solutions/week5/probes_hidden.py").write_text("y = 2\n")
    assert course.assignment("week5").salt != before.salt
    assert before.salt.hex() != before.digest


@pytest.mark.parametrize(
    "text", ["not toml", TOML.replace("title", "titel"), TOML + "[limits]\nmemory_mb = 0\n", TOML.replace("k5", "k6")]
)
def test_a_wrong_file_is_named(course, text):
    (course.root / "assignments/week5/assignment.toml").write_text(text)
    with pytest.raises(CourseError, match=r"assignment\.toml"):
        course.assignment("week5")


def test_unknown_weeks_and_paths_are_usage_errors(course):
    for week in ("week9", "../week5", ""):
        with pytest.raises(UsageError, match="known weeks: week5"):
            course.assignment(week)


def test_the_course_is_found_from_below(course):
    assert find_course(course.root / "assignments" / "week5").root == course.root.resolve()
