from __future__ import annotations

import random

import pytest

from grader.reports.remaining import LEAST, Remaining, in_words


def graded(weeks: list[str], costs: dict[str, float], judges: int, start: float, until: int) -> tuple[Remaining, float]:
    """An estimate after `until` results of a made-up class, graded by judges that need `start` seconds to get ready.

    Its second value is what really is left.
    """
    chance = random.Random(0)
    remaining = Remaining({week: weeks.count(week) for week in costs})
    free = [start * (1 + judge / 2) for judge in range(judges)]
    ends = []
    for week in weeks:
        judge = free.index(min(free))
        seconds = costs[week] * chance.uniform(0.7, 1.3)
        free[judge] += seconds + 0.05
        ends.append((free[judge], week, seconds))
    ends.sort()
    for now, week, seconds in ends[:until]:
        remaining.done(week, seconds, now)
    return remaining, ends[until - 1][0]


def test_an_estimate_holds_for_even_work_however_long_judges_take_to_start() -> None:
    for start in (0.0, 5.0, 60.0):
        remaining, now = graded(["week1"] * 200, {"week1": 2.0}, 2, start, 40)
        left = remaining.seconds(now)
        assert left is not None
        assert 140 < left < 190  # 160 more submissions of some 2.05 s, two at a time: 164 s


def test_dear_weeks_that_come_last_are_counted_as_dear_once_they_are_known() -> None:
    weeks = ["cheap"] * 100 + ["dear"] * 100
    costs = {"cheap": 1.0, "dear": 10.0}
    remaining, now = graded(weeks, costs, 1, 5.0, 110)
    left = remaining.seconds(now)
    assert left is not None
    assert 800 < left < 1000  # 90 submissions of 10.05 s: 904 s
    mixed, now = graded(["cheap", "dear"] * 100, costs, 1, 5.0, 20)
    left = mixed.seconds(now)
    assert left is not None
    assert 850 < left < 1150  # 90 of each: 999 s


def test_nothing_is_said_on_little_ground() -> None:
    remaining = Remaining({"week1": 100})
    for number in range(LEAST - 1):
        remaining.done("week1", 1.0, float(number))
        assert remaining.seconds(float(number)) is None
    remaining.done("week1", 1.0, float(LEAST - 1))
    assert remaining.seconds(float(LEAST - 1)) is not None


def test_what_cannot_be_graded_counts_as_done_but_tells_no_speed() -> None:
    remaining = Remaining({"week1": 20})
    for number in range(10):
        remaining.done("week1", 1.0, float(number))
    before = remaining.seconds(9.0)
    for _ in range(5):
        remaining.done("week1", None, 9.0)
    assert before is not None
    assert remaining.seconds(9.0) == pytest.approx(before / 2)


def test_time_that_passes_between_results_is_taken_off_down_to_nothing() -> None:
    remaining = Remaining({"week1": 11})
    for number in range(10):
        remaining.done("week1", 1.0, 2.0 * number)
    assert [remaining.seconds(18.0 + more) for more in (0, 1, 2, 9)] == pytest.approx([2.0, 1.0, 0.0, 0.0])


def test_results_all_at_once_tell_nothing() -> None:
    remaining = Remaining({"week1": 100})
    for _ in range(20):
        remaining.done("week1", 1.0, 5.0)
    assert remaining.seconds(5.0) is None


def test_words_are_coarse() -> None:
    assert [in_words(seconds) for seconds in (5, 61, 719, 3590, 3660, 8000)] == [
        "less than a minute left",
        "about 1 min left",
        "about 12 min left",
        "about 60 min left",
        "about 1 h 0 min left",
        "about 2 h 10 min left",
    ]
