"""Figures follow a section exactly: of another section, nobody is counted and nobody is named."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.people.person import Person
from grader.reports.class_page import class_page_html
from grader.reports.figures import class_rows, week_figures
from grader.reports.overview import overviews
from grader.reports.sections import sections_of
from tests.support.classes import SECTIONS, Class, make_class
from tests.support.reports import full_report

WEEKS = ["week4", "week5"]


def class_of(seed: int) -> Class:
    return make_class(30, weeks=2, sections=SECTIONS, seed=seed, tasks=3)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_the_figures_of_a_section_are_those_of_a_class_of_its_students_alone(seed: int) -> None:
    made = class_of(seed)
    rows = class_rows(made.reports, made.problems, made.people)
    for view in overviews(sections_of(rows, made.people), WEEKS)[1:]:
        own = {person.name for person in made.people if person.section == view.section.name}
        alone = class_rows(
            [report for report in made.reports if report.student in own],
            [problem for problem in made.problems if problem.student in own],
            [person for person in made.people if person.name in own],
        )
        assert [week.figures for week in view.weeks] == [week_figures(alone, week) for week in WEEKS]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_a_sections_part_of_the_page_names_nobody_else(seed: int) -> None:
    made = class_of(seed)
    page = class_page_html(made.reports, made.problems, made.people)
    parts = re.findall(r'<script type="text/html" data-section="\d+">(.*?)</script>', page, re.DOTALL)
    names = re.findall(r"<option .*?>\s*(.*?) \(\d+\)</option>", page)
    assert len(parts) == len(names) - 1 == len({person.section for person in made.people})
    section_of = {person.name: person.section for person in made.people}
    for part, title in zip(parts, names[1:], strict=True):
        linked = {unescape(name) for name in re.findall(r'<a class="name"[^>]*>(.*?)</a>', part)}
        section = "" if title == "No section" else unescape(title)
        assert {section_of[name] for name in linked} <= {section}


def test_every_student_is_in_one_section() -> None:
    made = class_of(3)
    rows = class_rows(made.reports, made.problems, made.people)
    whole, *parts = sections_of(rows, made.people)
    assert whole.is_whole and sorted(row.student for part in parts for row in part.rows) == sorted(
        row.student for row in whole.rows
    )


@pytest.mark.parametrize(
    ("names", "titles"),
    [
        (("10", "2", ""), ["Section 2", "Section 10", "No section"]),
        (("B", "Section B"), ["B", "Section B"]),
        (("Übung 2", "ubung 10"), ["Übung 2", "ubung 10"]),
        (("B ", "B"), ["Section B"]),
        (("b", "B"), ["Section B", "Section b"]),
        (("U\u0308", "Ü"), ["Section Ü"]),
        (("", " "), []),
    ],
)
def test_sections_have_exact_names_in_the_order_of_their_numbers(names: tuple[str, ...], titles: list[str]) -> None:
    people = [Person(f"student {place}", section=name, listed=True) for place, name in enumerate(names)]
    assert [section.title for section in sections_of(class_rows([], [], people), people)[1:]] == titles


def test_a_class_without_sections_offers_no_choice() -> None:
    assert 'id="section"' not in class_page_html([full_report("ana")], [])
