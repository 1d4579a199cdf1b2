"""The roster of an earlier run holds until there is another: extensions, times of submission, groups."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grader.batch.kept_roster import kept_roster
from grader.batch.people import forget_person, merge_people
from grader.batch.run import BatchOptions, find_class
from grader.batch.who import Members, record_members
from grader.course import Course
from grader.gradebook import Gradebook
from grader.intake.tables.extensions import Days, Extension, parsed, written
from tests.support.makers import put

ROSTER = """name,id,email,section,group,extensions,submitted
Maria Silva,1,maria@u.de,A,T1,,week4=2026-10-06T09:00+02:00
Bo Li,2,,B,T1,week4=+2d; week5=2026-10-20T23:59+02:00,
"Xu, Cy",3,,,,week5=+12h,
"""


@pytest.fixture
def looked(two_weeks_course: Course, tmp_path: Path) -> Path:
    """A class folder and the gradebook of one run with a roster."""
    put(tmp_path / "class" / "Maria Silva" / "mlp.py", b"class MLP: ...\n")
    put(tmp_path / "class" / "Cy Xu" / "lenet.py", b"class LeNet: ...\n")
    look(two_weeks_course, tmp_path, put(tmp_path / "roster.csv", ROSTER.encode()))
    return tmp_path


def look(course: Course, root: Path, roster: Path | None = None) -> Members:
    options = BatchOptions(root / "class", root / "out", roster=roster)
    (root / "out").mkdir(exist_ok=True)
    with Gradebook(root / "out" / "gradebook.sqlite") as book:
        _, members = find_class(course, options, book=book)
        record_members(members, options.submissions, book)
    return members


@pytest.mark.parametrize(
    "extension",
    [Days(0), Days(2), timedelta(hours=12), timedelta(hours=48), datetime(2026, 10, 20, 23, 59, tzinfo=UTC)],
)
def test_an_extension_comes_back_as_it_was_written(extension: Extension) -> None:
    assert parsed(written(extension)) == extension


def test_a_run_without_a_roster_has_that_of_the_last_one(two_weeks_course: Course, looked: Path) -> None:
    first = look(two_weeks_course, looked, looked / "roster.csv")
    again = look(two_weeks_course, looked)
    for name in ("Maria Silva", "Bo Li", "Xu, Cy"):
        own, kept = first.roster.student(name), again.roster.student(name)
        assert own is not None and kept is not None
        assert (kept.extensions, kept.submitted) == (own.extensions, own.submitted)
        assert (kept.section, kept.group) == (own.section, own.group)
    assert [(one.student, one.week) for one in again.candidates] == [
        (one.student, one.week) for one in first.candidates
    ]
    assert ("Bo Li", "week4") in {(one.student, one.week) for one in again.candidates}
    assert again.missing == first.missing and not again.gone and not again.strangers
    times = {one.student: one.handed.at for one in again.candidates if one.handed and one.week == "week4"}
    assert times["Maria Silva"] == datetime(2026, 10, 6, 7, tzinfo=UTC)


def test_another_roster_takes_the_place_of_the_last(two_weeks_course: Course, looked: Path) -> None:
    look(two_weeks_course, looked, put(looked / "next.csv", b"name,id,extensions\nMaria Silva,1,week4=+1d\n"))
    kept = look(two_weeks_course, looked).roster
    assert kept.extension("Maria Silva", "week4") == Days(1)
    assert kept.student("Bo Li") is None and kept.extension("Xu, Cy", "week5") is None


def test_who_is_merged_renamed_or_forgotten_keeps_or_loses_what_was_granted(
    two_weeks_course: Course, looked: Path
) -> None:
    put(looked / "class" / "somebody" / "lenet.py", b"class LeNet: ...\n# another\n")
    look(two_weeks_course, looked)
    merge_people(looked / "out", "Bo Li", "somebody")
    forget_person(looked / "out", "Maria Silva", force=True)
    with Gradebook(looked / "out" / "gradebook.sqlite") as book:
        kept = kept_roster(book)
    granted = {one.name: dict(one.extensions) for one in kept.students}
    assert set(granted) == {"Bo Li", "Xu, Cy"}
    assert granted["Bo Li"]["week4"] == Days(2)


def test_without_any_roster_there_is_none_to_keep(two_weeks_course: Course, tmp_path: Path) -> None:
    put(tmp_path / "class" / "Ann" / "mlp.py", b"class MLP: ...\n")
    look(two_weeks_course, tmp_path)
    assert replace(look(two_weeks_course, tmp_path).roster, shown={}).students == ()
