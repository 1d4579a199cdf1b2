"""Manual parts are read from assignment.toml, and what is wrong with one is said with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course import Course
from grader.course.manual import read_headings, read_manual
from grader.errors import CourseError
from grader.results import ManualPart, RubricItem
from tests.support.courses import copied, with_settings

FILE = Path("assignment.toml")


def test_a_week_declares_parts_with_rubrics(tmp_path: Path) -> None:
    root = with_settings(
        copied("light", tmp_path),
        """
[[manual]]
title = "Code quality"
points = 10
[[manual.items]]
title = "Names say what they hold"
points = 10
comment = "x1 says nothing"
[[manual]]
title = "5.11: its look"
name = "look"
points = 4
items = [{ title = "No axes", points = -1 }]
""",
    )
    names = RubricItem("names-say-what-they-hold", "Names say what they hold", 10, "x1 says nothing")
    assert Course(root).assignment("week1").manual == (
        ManualPart("code-quality", "Code quality", 10, (names,)),
        ManualPart("look", "5.11: its look", 4, (RubricItem("no-axes", "No axes", -1),)),
    )
    assert Course(copied("light", tmp_path / "other")).assignment("week1").manual == ()


def test_parts_and_items_may_be_worth_half_points_that_add_up() -> None:
    items = [{"title": str(n), "points": points} for n, points in enumerate((0.1, 0.2, 0.7))]
    (part,) = read_manual(FILE, [{"title": "Style", "points": 1.0, "items": items}])
    assert (part.max_points, [part.points_for(part.items[:n]) for n in range(4)]) == (1, [0, 0.1, 0.3, 1])


GOOD = {"title": "Style", "points": 4}


def test_an_answer_is_found_by_what_the_part_is_called_or_by_its_cells() -> None:
    parts = [
        {"title": "5.11: its look", "points": 4},
        GOOD | {"cells": ["Discussion ", "5.4"]},
        GOOD | {"name": "code", "cells": []},
        GOOD | {"title": "???"},
    ]
    assert read_headings(FILE, parts) == (
        ("part-5-11-its-look", ("5.11: its look", "part 5 11 its look", "5.11")),
        ("style", ("Discussion", "5.4")),
        ("code", ()),
        ("part-", ("part ",)),
    )
    assert read_headings(FILE, "style") == ()  # the other reader says what is wrong


@pytest.mark.parametrize("cells", ["5.4", [5.4], [""], ["?"], None.__class__])
def test_cells_that_are_no_words_are_a_fault_of_the_week(tmp_path: Path, cells: object) -> None:
    with pytest.raises(CourseError, match=r"assignment\.toml: `cells` of 'Style' must be words"):
        read_headings(FILE, [GOOD | {"cells": cells}])
    root = with_settings(copied("light", tmp_path), "[[manual]]\ntitle = 'Style'\npoints = 4\ncells = 'a'")
    with pytest.raises(CourseError, match="`cells` of 'Style'"):
        Course(root).assignment("week1")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("style", r"must be tables, each begun by \[\[manual\]\]"),
        ([{"points": 4}], r"`title` of \[\[manual\]\] number 1 is missing"),
        ([{"title": "Style"}], r"`points` of \[\[manual\]\] number 1 is missing"),
        ([GOOD | {"points": 0}], "above 0"),
        ([GOOD | {"points": 1.125}], "not a number with at most two decimal places"),
        ([GOOD | {"points": True}], "not a number with at most two decimal places"),
        ([GOOD | {"points": float("inf")}], "not a number with at most two decimal places"),
        ([GOOD | {"rubric": []}], "there is no `rubric`"),
        ([GOOD | {"name": "week"}], "'week' cannot be the `name`"),
        ([GOOD | {"name": "5.3"}], "'5.3' cannot be the `name`"),
        ([GOOD, GOOD], "two of .* are called 'style'"),
        ([GOOD | {"items": [{"title": "a", "points": 1}]}], "give 1 points in all, and the part has 4"),
        ([GOOD | {"items": [{"title": "a", "points": 4}, {"title": "b", "points": -1}]}], "some give points"),
        ([GOOD | {"items": [{"title": "a", "points": -4}, {"title": "A", "points": -1}]}], "two of the items"),
        ([GOOD | {"items": [{"title": "a"}]}], "`points` of item 1 of 'Style'"),
        ([GOOD | {"items": "a"}], "`items` of"),
    ],
)
def test_what_is_wrong_with_a_part_is_said_with_its_place(given: object, message: str) -> None:
    with pytest.raises(CourseError, match=message) as caught:
        read_manual(FILE, given)
    assert str(caught.value).startswith("assignment.toml: ")


@given(st.integers(1, 9), st.lists(st.integers(0, 5), max_size=4), st.booleans(), st.data())
def test_points_of_items_stay_within_those_of_the_part(
    most: int, points: list[int], takes_off: bool, data: st.DataObject
) -> None:
    items = tuple(RubricItem(f"i{n}", "t", -one if takes_off else one) for n, one in enumerate(points))
    part = ManualPart("style", "Style", most, items)
    chosen = data.draw(st.lists(st.sampled_from(items), unique=True)) if items else []
    worth = part.points_for(chosen)
    assert 0 <= worth <= most
    given_points = sum(item.points for item in chosen)
    start = most if takes_off and any(points) else 0
    assert worth == max(0, min(most, start + given_points))
