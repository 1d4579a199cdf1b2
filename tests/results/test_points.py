"""Points of at most two places add up as on paper, are read as people write them, and are rounded by one rule."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.results.points import has_two_places, read_points, share_of, signed, total, whole

HUNDREDTHS = st.integers(-10_000_000, 10_000_000)


def points(hundredths: int) -> float:
    return total([hundredths / 100])


@given(st.lists(HUNDREDTHS, max_size=30))
def test_a_sum_is_that_of_decimals_and_whole_numbers_stay_integers(given: list[int]) -> None:
    found = total(map(points, given))
    assert Decimal(str(found)) == Decimal(sum(given)) / 100
    assert isinstance(found, int) == (sum(given) % 100 == 0)


@given(st.integers(0, 99_999_999))
def test_what_is_written_is_read_again_with_a_point_or_a_comma(hundredths: int) -> None:
    given = points(hundredths)
    text = str(given)
    assert read_points(text) == read_points(text.replace(".", ",")) == given and has_two_places(given)


@pytest.mark.parametrize("text", ["", "-1", "1.125", "1e3", "1.2.3", ".5", "4.", "½", "1 000", "nan", "1234567"])
def test_what_is_no_number_of_two_places_is_refused(text: str) -> None:
    assert read_points(text) is None


@pytest.mark.parametrize(("text", "found"), [("4.0", 4), ("2,50", 2.5), ("2.500", 2.5), (" 007 ", 7), ("0.05", 0.05)])
def test_a_spreadsheets_zeros_change_nothing(text: str, found: float) -> None:
    assert str(read_points(text)) == str(found)


def test_shares_are_rounded_down_halves_up_and_changes_have_their_sign() -> None:
    assert [share_of(0.57, 100), share_of(87.5, 10), share_of(29, 100), share_of(99.99, 50)] == [0, 8, 29, 49]
    assert [whole(87.5), whole(87.49), whole(86.5), whole(3)] == [88, 87, 87, 3]
    assert [signed(2), signed(-0.5), signed(0), signed(0.25)] == ["+2", "-0.5", "+0", "+0.25"]
