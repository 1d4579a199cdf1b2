"""The pages in a real browser: nothing is cut or overlaps, keyboard and mouse both work, axe finds nothing serious."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.gradebook import Problem
from grader.people.person import Person
from grader.reports.class_page import class_page_html
from grader.reports.pages import report_html
from grader.results import Outcome
from grader.results.manual import ManualPart
from grader.similarity.clusters import clusters_of
from grader.similarity.compare import Pair, Work
from grader.similarity.pages import write_pages
from grader.similarity.works import Likeness
from tests.support.amount import of
from tests.support.browsers import Window, violations
from tests.support.classes import make_class
from tests.support.reports import full_report, sample_report, shown_report

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}


def similar_page(folder: Path) -> str:
    work = Work("ana", "week5", "import torch\n\n" + "value = 1 + 2 + 3\n" * 80)
    write_pages(
        Likeness(clusters_of([Pair(work, replace(work, student="ben"), 0.9, 0.8, ((0, 20),), ((14, 30),))])), folder
    )
    return (folder / "pair-1.html").read_text()


def class_page(folder: Path) -> str:
    reports = [full_report("ana"), sample_report("zoë"), full_report("ana", "week10")]
    return class_page_html(reports, [Problem("petra", "week5", "no zip")], [Person("nina", section="B", listed=True)])


def drawn_page(folder: Path) -> str:
    made = make_class(28)
    return class_page_html(made.reports, made.problems, made.people, folder)


PAGES: dict[str, Callable[[Path], str]] = {
    "report": lambda folder: report_html(sample_report()),
    "exhibits": lambda folder: report_html(shown_report(stand_ins=("split",), output="printed\n" * 5)),
    "full": lambda folder: report_html(full_report()),
    "class": class_page,
    "drawn": drawn_page,
    "pair": similar_page,
}


@pytest.fixture
def open_page(window: Window, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A page from the disk, as students and staff open it; the test fails on anything in its console."""
    noise: list[str] = []

    def show(text: str, size: str = "desktop", **options: Any) -> Any:
        page = window.page(*SIZES[size], **options)
        window.hear(page, "console", lambda message: noise.append(message.text))
        window.hear(
            page, "request", lambda request: noise.append(request.url) if request.url.startswith("http") else None
        )
        (tmp_path / "page.html").write_text(text, encoding="utf-8")
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield show
    assert noise == []


# Boxes of text that is not inside one another must not lie upon one another; what nobody sees does not count.
OVERLAPS = """() => {
    const hidden = '.unseen, svg, details:not([open])';
    const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest(hidden);
    const texts = [...document.querySelectorAll('main *, header *')].filter(
        (e) => seen(e) && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
    const boxes = texts.flatMap((e) => {
        const range = document.createRange();
        return [...e.childNodes].filter((n) => n.nodeType === 3 && n.data.trim()).flatMap((n) => {
            range.selectNodeContents(n);
            return [...range.getClientRects()].map((r) => ({ e, r }));
        });
    });
    const found = [];
    for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
        const a = boxes[i].r, b = boxes[j].r;
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 2 && high > 4 && boxes[i].e !== boxes[j].e && !boxes[i].e.closest('.scroll, pre.code'))
            found.push([boxes[i].e.outerHTML.slice(0, 80), boxes[j].e.outerHTML.slice(0, 80)]);
    }
    return found.slice(0, 5);
}"""
CUT = """() => [...document.querySelectorAll('body *')].filter((e) =>
    !e.closest('.scroll, .unseen, svg, pre.code') && e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.outerHTML.slice(0, 80))"""


# Rows that are off the screen are not laid out, and their boxes mean nothing: as if somebody had scrolled to each.
ALL_ON_SCREEN = (
    "document.querySelectorAll('#students tr').forEach((row) => { row.style.contentVisibility = 'visible' })"
)


def in_turn(ways: Sequence[str], first: int = 0) -> list[tuple[str, str]]:
    """Return every page in every way, or in a sample each page in one way, in turn."""
    sample = [(name, ways[(first + number) % len(ways)]) for number, name in enumerate(PAGES)]
    return of(sample, [(name, way) for name in PAGES for way in ways])


@pytest.mark.parametrize(("name", "size"), in_turn([*SIZES]))
def test_nothing_is_cut_and_nothing_overlaps(
    open_page: Callable[..., Any], name: str, size: str, tmp_path: Path
) -> None:
    page = open_page(PAGES[name](tmp_path), size)
    picture = tmp_path / f"{name}-{size}.png"
    page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 5_000  # an empty page takes less
    page.evaluate(ALL_ON_SCREEN)
    assert page.evaluate(CUT) == []
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize(("name", "scheme"), in_turn(["light", "dark"], 1))
def test_axe_finds_nothing_serious(open_page: Callable[..., Any], name: str, scheme: str, tmp_path: Path) -> None:
    page = open_page(PAGES[name](tmp_path), color_scheme=scheme)
    found = violations(page)
    serious = [(one["id"], one["nodes"][0]["html"][:100]) for one in found if one["impact"] in ("serious", "critical")]
    assert serious == []


@pytest.mark.parametrize("width", [390, 1200])
def test_pictures_are_allowed_by_the_policy_and_drawn(asked_of: Callable[..., Any], width: int) -> None:
    script = (
        "const drawn = [...page.images].map((i) => [i.complete, i.naturalWidth]);"
        "const line = page.querySelector('.curve .line').getBoundingClientRect();"
        "const cell = page.defaultView.getComputedStyle(page.querySelector('.confusion .right')).backgroundColor;"
        "return [drawn, line.width > 200, cell !== 'rgba(0, 0, 0, 0)', page.documentElement.scrollWidth]"
    )
    drawn, drawn_line, shaded, wide = asked_of(report_html(shown_report()), script, width)
    assert drawn == [[True, 4], [True, 4]]
    assert (drawn_line, shaded, wide <= width) == (True, True, True)


@pytest.mark.parametrize("width", [390, 1300])
def test_long_lines_scroll_inside_their_side(asked_of: Callable[..., Any], width: int, tmp_path: Path) -> None:
    work = Work("ana", "week5", "x = " + "1 + " * 500 + "1\n")
    write_pages(Likeness(clusters_of([Pair(work, work, 1.0, 1.0, ((0, 9),), ((0, 9),))])), tmp_path)
    page = (tmp_path / "pair-1.html").read_text()
    assert asked_of(page, "return page.documentElement.scrollWidth", width) <= width


def test_the_instruments_see_what_is_wrong(open_page: Callable[..., Any]) -> None:
    page = open_page(
        "<!doctype html><html lang=en><title>x</title><main><p style='position:absolute;top:0'>one two</p>"
        "<p style='position:absolute;top:4px;color:#ccc;width:2000px'>three four</p></main>"
    )
    assert len(page.evaluate(OVERLAPS)) == 1
    assert len(page.evaluate(CUT)) == 1
    assert "color-contrast" in {one["id"] for one in violations(page)}


def names(page: Any) -> list[str]:
    found: list[str] = page.locator("#students tbody tr:not([hidden]) > th").all_inner_texts()
    return found


def test_a_class_of_a_thousand_sorts_and_filters_with_the_keyboard(open_page: Callable[..., Any]) -> None:
    failed = replace(full_report().checks[1], points=0, outcome=Outcome.KILLED)
    reports = [
        replace(full_report(f"student {number:04}"), checks=(full_report().checks[0], failed))
        if number % 100 == 7 else full_report(f"student {number:04}")
        for number in range(1000)
    ]  # fmt: skip
    page = open_page(class_page_html(reports, []))
    assert len(names(page)) == 1000
    page.locator("#students thead button").nth(1).focus()
    page.keyboard.press("Enter")
    assert names(page)[:2] == ["student 0007", "student 0107"]
    page.keyboard.press("Space")
    assert names(page)[0] == "student 0000"
    page.locator("#filter").focus()
    page.keyboard.type("killed 07")
    assert page.locator("#count").inner_text() == "10 of 1000 students"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    lines = Path(saved.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert saved.value.suggested_filename == "students.csv"
    assert len(lines) == 11
    assert lines[1] == '"student 0007","","","","","60","60","graded","Week 5: killed"'


@pytest.mark.parametrize("name", ["=cmd()", "Ana;=cmd()", "Ana | +1", "＝cmd()"])
def test_saved_rows_hold_no_formula_whatever_separates_cells(open_page: Callable[..., Any], name: str) -> None:
    page = open_page(class_page_html([full_report(name)], []))
    with page.expect_download() as saved:
        page.locator("#save").click()
    (row,) = [*csv.reader(Path(saved.value.path()).read_text(encoding="utf-8-sig").splitlines())][1:]
    cells = [cell.strip() for cell in re.split("[;|]", row[0])]
    assert [cell for cell in cells if cell.startswith(("=", "+", "＝"))] == []


def test_links_lead_to_reports_and_back_to_tasks(open_page: Callable[..., Any]) -> None:
    page = open_page(report_html(sample_report()), "phone")
    page.locator(".tasks a").nth(3).click()
    box = page.locator(page.url.rpartition("#")[2].join(["[id='", "']"])).bounding_box()
    assert box is not None and 0 <= box["y"] < 844


def test_a_report_prints_without_losing_anything(open_page: Callable[..., Any]) -> None:
    page = open_page(report_html(shown_report()))
    page.emulate_media(media="print")
    assert page.evaluate("() => getComputedStyle(document.querySelector('.card')).breakInside") == "avoid"
    assert page.locator(".mistakes img").first.is_visible() and page.locator(".curve").is_visible()
    assert page.pdf(format="A4").count(b"/Type /Page\n") <= 3


# Words of a table that stand on two lines: a phone breaks long ones where it must, and not what fits a column.
BROKEN = """() => [...document.querySelectorAll(".tasks td, .tasks th")].flatMap((cell) => {
    const words = [], text = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), range = document.createRange();
    while (text.nextNode()) {
        for (const word of text.currentNode.data.matchAll(/[\\p{L}\\d]+/gu)) {
            range.setStart(text.currentNode, word.index);
            range.setEnd(text.currentNode, word.index + word[0].length);
            if (range.getClientRects().length > 1) words.push(word[0]);
        }
    }
    return words;
})"""


@pytest.mark.parametrize("size", SIZES)
def test_no_word_of_the_table_of_tasks_is_broken(size: str, open_page: Callable[..., Any]) -> None:
    essay = ManualPart("essay", "Ein Aufsatz über die Wahl der Architektur und ihre Folgen", 20, points=12.5)
    report = replace(full_report(), language="de", manual=(ManualPart("style", "Stil", 10), essay))
    page = open_page(report_html(report), size)
    assert page.evaluate(BROKEN) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
