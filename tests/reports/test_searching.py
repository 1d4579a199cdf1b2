"""The class page in a real browser: sections, searches and filters show exactly whom they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.people.person import Person
from grader.reports.class_page import class_page_html
from tests.support.browsers import Window
from tests.support.classes import SECTIONS, make_class
from tests.support.reports import full_report

SHOWN = "[...document.querySelectorAll('#students tbody tr:not([hidden])')]"
NAMES = f"{SHOWN}.map((row) => row.querySelector('.name').textContent)"


@pytest.fixture
def opened_class(window: Window, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A page from the disk; the test fails on any error of its script."""
    errors: list[str] = []

    def show(text: str, width: int = 1280, **options: Any) -> Any:
        page = window.page(width, 844, **options)
        window.hear(page, "pageerror", lambda error: errors.append(str(error)))
        window.hear(page, "console", lambda message: errors.append(message.text))
        (tmp_path / "index.html").write_text(text, encoding="utf-8")
        page.goto((tmp_path / "index.html").as_uri())
        return page

    yield show
    assert errors == []


def page_of(people: list[Person]) -> str:
    return class_page_html([full_report(person.name) for person in people], [], people)


def led_to(page: Any, link: Any, number: int) -> list[str]:
    """Follow a link within the page to so many students; they are shown a moment later, with the address's change."""
    link.click()
    page.wait_for_function(f"{NAMES}.length === {number}")
    names: list[str] = page.evaluate(NAMES)
    return names


def found_by(page: Any, query: str) -> list[str]:
    page.locator("#filter").fill(query)
    names: list[str] = page.evaluate(NAMES)
    return names


SPELLINGS = [
    ("Søren Ørsted", "soren orsted"), ("Łukasz Ćwik", "lukasz cwik"), ("Jürgen Groß", "jurgen gross"),
    ("Jürgen Groß", "GROSS"), ("Işıl Yılmaz", "isil yilmaz"), ("İbrahim", "ibrahim"), ("Émile", "emile"),
    ("Emile", "Émile"), ("E\u0301mile", "émile"), ("Nguyễn Thị", "nguyen thi"), ("Đặng", "dang"), ("Þóra", "thora"),
    ("Sæþór", "saethor"), ("Ħaż-Żebbuġ", "haz-zebbug"), ("Conan O’Brien", "o'brien"), ("Conan O'Brien", "obrien"),
    ("王小明", "小明"), ("ＡＢＣ", "abc"), ("محمد", "مُحَمَّد"), ("שָׂרָה", "שרה"), ("Ἀλέξης", "αλεξης"), ("ΑΛΕΞΗΣ", "αλεξης"),
    ("Дмитрий", "дмитрий"), ("Jean‐Luc", "jean-luc"), ("Ana Silva", "silva ana"),
]  # fmt: skip


def test_a_search_is_blind_to_accents_and_letter_case(opened_class: Callable[..., Any]) -> None:
    names = list(dict.fromkeys(name for name, _ in SPELLINGS))
    page = opened_class(
        page_of([Person(name, key=place) for place, name in enumerate(names, 1)] + [Person("Quentin Quirk")])
    )
    for name, query in SPELLINGS:
        found = found_by(page, query)
        assert name in found, query
        assert "Quentin Quirk" not in found, query


def test_a_search_finds_ids_and_addresses_and_no_scores(opened_class: Callable[..., Any]) -> None:
    marks = [("login", "asilva"), ("sid", "777"), ("id", "4711"), ("email", "ana@uni.example")]
    page = opened_class(page_of([Person("Ana", key=1, marks=marks), Person("Ben", key=2, marks=[("id", "100")])]))
    for query in ("4711", "ANA@uni", "asilva", "777"):
        assert found_by(page, query) == ["Ana"], query
    assert found_by(page, "100") == ["Ben"]  # which is everybody's score, too


def test_a_section_is_an_exact_choice_that_all_figures_follow(opened_class: Callable[..., Any]) -> None:
    made = make_class(60, sections=SECTIONS, tasks=4)
    page = opened_class(class_page_html(made.reports, made.problems, made.people))
    whole = page.locator("#overview").inner_html()
    for option in page.locator("#section option").all()[1:]:
        title, size = option.get_attribute("data-title"), int(option.get_attribute("data-size"))
        page.locator("#section").select_option(option.get_attribute("value"))
        named = page.evaluate("[...document.querySelectorAll('#overview .name')].map((one) => one.textContent)")
        shown = page.evaluate(NAMES)
        assert len(shown) == size
        assert set(named) <= set(shown)
        assert page.locator("h1").inner_text() == f"Class overview: {title}"
        assert page.locator("#size").inner_text() == f"{size} student{'' if size == 1 else 's'}"
    page.locator("#section").select_option("0")
    assert page.locator("#overview").inner_html() == whole
    assert len(page.evaluate(NAMES)) == 60


def test_a_search_for_a_section_finds_that_section_alone(opened_class: Callable[..., Any]) -> None:
    people = [Person(name, section=section) for name, section in (("Bob B. Section", "A"), ("Ann", "B"), ("Abe", "A"))]
    page = opened_class(page_of(people))
    assert found_by(page, "Section B") == ["Ann"]
    assert found_by(page, "section a") == ["Abe", "Bob B. Section"]
    assert found_by(page, "section bob") == ["Bob B. Section"]  # no section is called that


def test_the_address_chooses_a_section(opened_class: Callable[..., Any]) -> None:
    people = [Person(name, section=section) for name, section in (("Ann", "a & b#1"), ("Abe", ""))]
    page = opened_class(page_of(people))
    assert led_to(page, page.get_by_role("link", name="a & b#1"), 1) == ["Ann"]
    page.reload()
    assert page.evaluate(NAMES) == ["Ann"]
    page.locator("#section").select_option("2")
    assert page.evaluate(NAMES) == ["Abe"]


def test_a_count_of_a_week_leads_to_whom_it_counts(opened_class: Callable[..., Any]) -> None:
    made = make_class(60, tasks=3)
    handed = {report.student for report in made.reports if report.week == "week5"}
    handed |= {problem.student for problem in made.problems if problem.week == "week5"}
    missing = {person.name for person in made.people if person.listed or person.name in handed} - handed
    shown_rows = {report.student for report in made.reports} | {problem.student for problem in made.problems}
    missing |= {name for name in shown_rows if name not in handed}
    page = opened_class(class_page_html(made.reports, made.problems, made.people))
    link = page.locator("[href='#week=week5&show=nothing%20handed%20in']")
    assert set(led_to(page, link, len(missing))) == missing
    assert page.locator("#count").inner_text() == f"{len(missing)} of 60 students"
    page.locator("#all").click()
    assert len(page.evaluate(NAMES)) == 60


def test_long_lists_get_their_names_when_they_are_opened(opened_class: Callable[..., Any]) -> None:
    people = [Person(f"student {number:03}", folder=f"f{number}", listed=True) for number in range(90)]
    page = opened_class(class_page_html([full_report("student 000")], [], people))
    details = page.locator("section[aria-labelledby='missing'] details")
    assert details.locator("a").count() == 0
    details.locator("summary").click()
    assert details.locator("a").all_inner_texts() == [f"student {number:03}" for number in range(1, 90)]
    page.locator("#filter").fill("student 000")
    led_to(page, details.locator("a").nth(4), 90)
    assert page.evaluate("document.querySelector('tr:target .name').textContent") == "student 005"


def test_without_javascript_everybody_is_there(opened_class: Callable[..., Any]) -> None:
    made = make_class(50, tasks=3)
    page = opened_class(class_page_html(made.reports, made.problems, made.people), java_script_enabled=False)
    assert page.locator("#students tbody tr").count() == 50
    assert page.locator("#students tbody tr").last.is_visible()
    assert not page.locator("#filter").is_visible() and not page.locator("#section").is_visible()


@pytest.mark.parametrize("weeks", [3, 12])
@pytest.mark.parametrize("width", [390, 1000, 1280])
def test_every_value_of_the_table_can_be_seen(opened_class: Callable[..., Any], width: int, weeks: int) -> None:
    made = make_class(12, weeks=weeks, tasks=2)
    page = opened_class(class_page_html(made.reports, made.problems, made.people), width)
    cut = page.evaluate("""() => [...document.querySelectorAll('#students tbody *, details.more *')].filter((one) =>
        one.textContent.trim() && !one.closest('.unseen') && one.checkVisibility() &&
        one.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((one) => one.outerHTML)""")
    assert cut == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_paper_it_is_a_table_whose_head_is_on_every_page(opened_class: Callable[..., Any]) -> None:
    made = make_class(40, tasks=3)
    page = opened_class(class_page_html(made.reports, made.problems, made.people))
    page.locator("#filter").fill("a")
    page.emulate_media(media="print")
    display = "(kind) => getComputedStyle(document.querySelector(kind)).display"
    assert page.evaluate(display, "#students thead") == "table-header-group"
    assert page.evaluate(display, "#students tbody tr:not([hidden])") == "table-row"
    assert page.evaluate(display, ".filter") == "none"
    assert "“a”" in page.locator(".found").inner_text()
