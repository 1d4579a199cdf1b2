"""Where names leave open who somebody is, nobody is counted twice: two students are two, however many entries ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.people.matching import doubles, questions
from grader.people.person import Person
from grader.reports.class_page import class_page_html
from grader.reports.figures import State, class_rows, headcount, week_figures
from tests.support.reports import Page, full_report


def listed(key: int, id: str, section: str = "") -> Person:
    return Person(
        f"John Smith ({id})",
        "John Smith",
        key,
        listed=True,
        section=section,
        marks=[("id", id), ("name", "John Smith")],
    )


def entry(key: int, platform: str = "entry", number: str = "") -> Person:
    name = f"John Smith ({number})" if number else "John Smith"
    marks = [(platform, number or name), ("name", "John Smith")]
    return Person(name, "John Smith", key, handed=frozenset({"week5"}), marks=marks)


CLASSES = {
    "one entry, two on the roster": ([listed(1, "m1", "A"), listed(2, "m2", "B"), entry(3)], 2),
    "two entries, two on the roster": (
        [listed(1, "m1"), listed(2, "m2"), entry(3, "canvas", "10"), entry(4, "canvas", "11")], 2,
    ),
    "two entries, one on the roster": ([listed(1, "m1"), entry(3, "canvas", "10"), entry(4, "canvas", "11")], 2),
    "three entries, two on the roster": (
        [listed(1, "m1"), listed(2, "m2"), *(entry(n, "canvas", f"1{n}") for n in (3, 4, 5))], 3,
    ),
    "nobody is asked about": ([listed(1, "m1"), listed(2, "m2")], 2),
}  # fmt: skip


@pytest.mark.parametrize(("people", "count"), CLASSES.values(), ids=CLASSES)
def test_students_are_counted_as_people(people: list[Person], count: int) -> None:
    handed = [person for person in people if person.handed]
    rows = class_rows([full_report(person.name) for person in handed], [], people)
    assert len(rows) == len(people) and headcount(rows) == count
    assert len(doubles(questions(people))) == len(people) - count
    states = [row.state("week5") for row in rows]
    assert State.NOTHING not in states or not handed
    assert len(week_figures(rows, "week5").scores) == len(handed)


def test_the_class_page_counts_two_johns_as_two_wherever_it_counts(tmp_path: Path) -> None:
    people, _ = CLASSES["one entry, two on the roster"]
    html = class_page_html([full_report("John Smith")], [], people)
    page = Page(html)
    assert "2 students in Week 5" in page.text
    assert "Everybody (2)" in page.text and 'data-size="2"' in html
    assert html.count("data-double") == 1 + html.partition("<script>")[2].count("data-double")
    assert "Not on the roster" not in page.text and "Nothing handed in" not in page.text.partition("Students Search")[0]
    assert "John Smith may be John Smith (m1) or John Smith (m2)" in page.text
