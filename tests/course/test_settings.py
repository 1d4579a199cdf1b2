"""course.toml is read strictly, and each fault is a sentence with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course import Course, Settings
from grader.course.toml_file import meant
from grader.errors import CourseError
from tests.support.courses import copied

WHOLE = """title = "Numbers"
weeks = ["week5", "week4"]
language = "en"
time_zone = "Europe/Berlin"
libraries = ["numpy"]
contact = "help@uni.example"
repository = "https://github.com/me/numbers"

[points]
public = 70
hidden = 30
"""


@pytest.fixture
def described_course(two_weeks_course: Course) -> Course:
    (two_weeks_course.root / "course.toml").write_text(WHOLE)
    return Course(two_weeks_course.root)


def test_what_the_file_says_holds_for_the_weeks(described_course: Course) -> None:
    settings = described_course.settings
    assert (settings.title, settings.public, settings.hidden) == ("Numbers", 70, 30)
    assert (settings.libraries, settings.contact, settings.language) == (("numpy",), "help@uni.example", "en")
    assert settings.repository == "https://github.com/me/numbers"
    weeks = described_course.assignments()
    assert list(weeks) == ["week5", "week4"]
    assert {str(week.zone) for week in weeks.values()} == {"Europe/Berlin"}


def test_a_week_that_is_not_listed_is_a_draft_which_can_be_named(described_course: Course) -> None:
    file = described_course.root / "course.toml"
    file.write_text(WHOLE.replace('"week5", ', ""))
    course = Course(described_course.root)
    assert list(course.assignments()) == ["week4"]
    assert course.assignment("week5").week == "week5"


def test_a_course_without_the_file_has_the_defaults(two_weeks_course: Course) -> None:
    assert two_weeks_course.settings == Settings()
    assert (Settings.public, Settings.hidden) == (60, 40)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("title", "titel", 1, "there is no `titel`; did you mean `title`?"),
        ('"Numbers"', '""', 1, "`title` is missing or not a text"),
        ('"Numbers"', "7", 1, "`title` is missing or not a text"),
        ('"week5"', '"week3"', 2, "`weeks` names week3, and there is no assignments/week3/assignment.toml"),
        ('"week5"', '"../x"', 2, "`weeks` must list names"),
        ('"week5"', '"week4"', 2, "`weeks` names week4 twice"),
        ('"en"', '"tlh"', 3, "`language` 'tlh' is not there yet; there is en"),
        ("Europe/Berlin", "Mars/Crater", 4, "there is no `time_zone` 'Mars/Crater'"),
        ('["numpy"]', '"numpy"', 5, "`libraries` must list names"),
        ('"help@uni.example"', "[]", 6, "`contact` is missing or not a text"),
        ("https://github.com/me/numbers", "here; rm -rf x", 7, "`repository` is the address of one"),
        ("https://github.com/me/numbers", "https://github.com", 7, "`repository` is the address of one"),
        ("[points]", "[point]", 9, "there is no [point]; did you mean `points`?"),
        ("public", "publik", 10, "there is no `publik` under [points]; did you mean `public`?"),
        ("= 30", "= -1", 11, "`hidden` under [points] must be a whole number of at least 0"),
        ("= 30", "= 30.5", 11, "`hidden` under [points] must be a whole number"),
        ("= 30", "= ", 11, "cannot be read"),
    ],
)
def test_each_fault_is_a_sentence_with_file_and_line(
    described_course: Course, old: str, new: str, line: int, says: str
) -> None:
    file = described_course.root / "course.toml"
    file.write_text(WHOLE.replace(old, new, 1))
    with pytest.raises(CourseError) as caught:
        _ = Course(described_course.root).settings
    told = str(caught.value).splitlines()
    assert any(one.startswith(f"{file}:{line}: {says}") for one in told), told


def test_all_faults_are_told_at_once(described_course: Course) -> None:
    file = described_course.root / "course.toml"
    file.write_text(WHOLE.replace("title", "titel").replace("public", "publik"))
    with pytest.raises(CourseError) as caught:
        _ = Course(described_course.root).settings
    assert len(str(caught.value).splitlines()) == 3  # the two names, and the title that is missing


@given(st.text(max_size=12))
def test_any_unknown_name_is_answered_with_a_known_one(name: str) -> None:
    assert "`public`" in meant(name, ("public", "hidden")) or "`hidden`" in meant(name, ("public", "hidden"))


@pytest.mark.parametrize(
    ("table", "line", "says"),
    [
        ("dew = 2026-10-05T23:59:00+02:00", 5, "there is no `dew`; did you mean `due`?"),
        ("[limit]\nseconds = 300", 5, "there is no [limit]; did you mean `limits`?"),
        ("[limits]\nsecond = 300", 6, "there is no `second` under [limits]; did you mean `seconds`?"),
        ("[limits]\nseconds = 0", 6, "`seconds` under [limits] must be a whole number above 0"),
        ("[late]\npercent_a_day = 101", 6, "the percentages under [late] are at most 100"),
        ("late = 5", 5, "[late] must be a table"),
    ],
)
def test_a_typing_error_in_an_assignment_is_told_likewise(tmp_path: Path, table: str, line: int, says: str) -> None:
    course = Course(copied("one_check", tmp_path / "course"))
    file = course.root / "assignments" / "week1" / "assignment.toml"
    before = "".join(file.read_text().splitlines(keepends=True)[:3])
    file.write_text(f"{before}\n{table}\n")
    with pytest.raises(CourseError) as caught:
        course.assignment("week1")
    assert str(caught.value).startswith(f"{file}:{line}: {says}"), caught.value
