"""A day of lateness and of an extension is a calendar day where the course is held."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course import Course, LatePolicy
from grader.errors import CourseError
from grader.intake import survey
from grader.intake.lateness import days_later, lateness, untimed
from grader.intake.layouts import Handed
from grader.intake.roster import read_roster
from grader.intake.tables.extensions import Days, Extension
from grader.people.identity import Identity
from grader.results import Late
from tests.support.courses import copied, with_settings
from tests.support.makers import put

BERLIN = ZoneInfo("Europe/Berlin")
SATURDAY = datetime(2026, 10, 24, 20, 0, tzinfo=BERLIN)  # clocks go back that night
TWO_WEEKS = Course(Path(__file__).parents[1] / "courses" / "two_weeks")


def late(at: datetime, extension: Extension | None, due: datetime, zone: ZoneInfo | None) -> Late | None:
    assignment = replace(TWO_WEEKS.assignment("week5"), due=due, late=LatePolicy(0, 10, 50), zone=zone)
    return lateness(assignment, Handed("ana", Path("x"), at=at), extension)


@pytest.mark.parametrize("zone", [BERLIN, None], ids=["named", "not named"])
@pytest.mark.parametrize(
    ("at", "expected"),
    [("2026-10-25T19:30+01:00", None), ("2026-10-25T20:00+01:00", None), ("2026-10-25T20:01+01:00", Late(1, 10))],
)
def test_a_days_extension_is_the_same_time_the_next_day(at: str, expected: Late | None, zone: ZoneInfo | None) -> None:
    due = SATURDAY if zone else datetime.fromisoformat("2026-10-24T20:00+02:00")
    assert late(datetime.fromisoformat(at), Days(1), due, zone) == expected


def test_hours_are_hours() -> None:
    at = datetime.fromisoformat("2026-10-25T19:30+01:00")
    assert late(at, timedelta(hours=24), SATURDAY, BERLIN) == Late(1, 10)


@pytest.mark.parametrize(
    ("at", "days"),
    [("2026-10-25T20:00+01:00", 1), ("2026-10-25T20:01+01:00", 2), ("2026-10-26T20:01+01:00", 3)],
)
def test_a_day_of_lateness_is_a_calendar_day(at: str, days: int) -> None:
    assert late(datetime.fromisoformat(at), None, SATURDAY, BERLIN) == Late(days, 10 * days)


def test_a_day_is_shorter_where_clocks_go_forward_and_the_zone_is_named() -> None:
    due = datetime(2027, 3, 27, 20, 0, tzinfo=BERLIN)
    at = datetime.fromisoformat("2027-03-28T20:30+02:00")
    assert late(at, Days(1), due, BERLIN) == Late(1, 10)
    assert late(at, Days(1), datetime.fromisoformat("2027-03-27T20:00+01:00"), None) is None  # it may be Lagos


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "UTC"]).map(ZoneInfo)


@settings(deadline=None)
@given(due=MOMENTS, days=st.integers(0, 400), zone=ZONES)
def test_the_clock_shows_the_same_time_after_any_days(due: datetime, days: int, zone: ZoneInfo) -> None:
    there = due.astimezone(zone)
    later = days_later(due, days, [zone]).astimezone(zone)
    expected = there.replace(tzinfo=None) + timedelta(days=days)
    # A time that is left out when clocks go forward is shown as the one an hour later.
    assert timedelta() <= later.replace(tzinfo=None) - expected <= timedelta(hours=1)


@settings(deadline=None)
@given(due=MOMENTS, after=st.integers(1, 10**6), zone=ZONES)
def test_the_days_begun_are_the_fewest_that_reach_the_time(due: datetime, after: int, zone: ZoneInfo) -> None:
    at = due + timedelta(seconds=after)
    found = late(at, None, due, zone)
    assert found is not None and at <= days_later(due, found.days, [zone])
    assert found.days == 1 or at > days_later(due, found.days - 1, [zone])


@pytest.mark.parametrize("name", ['"Mars/Olympus"', "3", '"../etc/passwd"', '""'])
def test_a_time_zone_that_there_is_not_is_refused(name: str, one_check_course: Course) -> None:
    put_first(one_check_course.root, f"time_zone = {name}")
    with pytest.raises(CourseError, match="there is no `time_zone`"):
        one_check_course.assignment("week1")


def test_a_due_date_may_be_a_time_in_the_zone(one_check_course: Course) -> None:
    put_first(one_check_course.root, 'due = 2026-10-24T20:00:00\ntime_zone = "Europe/Berlin"')
    assert one_check_course.assignment("week1").due == SATURDAY


def test_a_due_date_of_no_zone_is_refused(one_check_course: Course) -> None:
    put_first(one_check_course.root, "due = 2026-10-24T20:00:00")
    with pytest.raises(CourseError, match="or stand with a `time_zone`"):
        one_check_course.assignment("week1")


def put_first(root: Path, lines: str) -> None:
    file = with_settings(root, "") / "assignments" / "week1" / "assignment.toml"
    file.write_text(f"{lines}\n{file.read_text('utf-8')}", "utf-8")


def test_the_roster_may_say_when_work_was_handed_in(tmp_path: Path) -> None:
    course = Course(copied("two_weeks", tmp_path / "course"))
    put(tmp_path / "c" / "Ana Silva" / "week5" / "lenet.py")
    put(tmp_path / "c" / "Bo Wang" / "week5" / "lenet.py")
    file = put(tmp_path / "roster.csv", b"name,submitted\nAna Silva,week5=2026-10-25T21:00+01:00\nBo Wang,\n")
    known = read_roster(file, course.assignments())
    known = known.under(["Ana Silva", "Bo Wang"])
    ana, bo = map(known.timed, survey(tmp_path / "c", course).candidates)
    assignment = replace(course.assignment("week5"), due=SATURDAY, late=LatePolicy(0, 10, 50), zone=BERLIN)
    assert lateness(assignment, ana.handed, None) == Late(2, 20)
    assert lateness(assignment, bo.handed, None) is None


@pytest.mark.parametrize(
    ("handed", "counted"),
    [
        (None, True),
        (Handed("ana", Path("x"), who=Identity("Ana", "moodle", "7")), True),
        (Handed("ana", Path("x"), at=SATURDAY, who=Identity("Ana", "moodle", "7")), False),
        (Handed("ana", Path("x"), who=Identity("ana", "canvas", "7")), False),  # it would have written LATE
        (Handed("ana", Path("x"), who=Identity("", "anonymous", "7")), False),
    ],
)
def test_what_nothing_tells_of_is_counted_where_lateness_costs(handed: Handed | None, counted: bool) -> None:
    strict = replace(TWO_WEEKS.assignment("week5"), due=SATURDAY, late=LatePolicy(0, 10, 50))
    mild = replace(strict, late=LatePolicy())
    assert untimed({"week5": strict}, [("week5", handed)]) == ({"week5": 1} if counted else {})
    assert untimed({"week5": mild}, [("week5", handed)]) == {}
    assert untimed({"week5": replace(strict, due=None)}, [("week5", handed)]) == {}
