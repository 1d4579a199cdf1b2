"""People read points and means with their language's decimal sign, wherever these stand; machines read a point."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grader.batch.deciding.desk import Change
from grader.cli.main import main
from grader.exports import gradescope
from grader.exports.feedback.github import issue
from grader.exports.feedback.moodle import comment
from grader.exports.table import checks_csv, everything_json
from grader.gradebook import open_book
from grader.gradebook.changes import changes
from grader.language import counting, decimal, retold, speaking, tr
from grader.reports.class_page import class_page_html
from grader.reports.pages import report_html, report_markdown
from grader.reports.teacher import teacher_html
from grader.results import Adjustment, ManualPart, Override, Report, RubricItem
from tests.support.courses import copied
from tests.support.desks import make_book, opened
from tests.support.reports import Page, check, full_report
from tests.support.reports import everything as exhibits

ITEM = RubricItem("names", "Names", -1.75, "short ones hide much")
PART = ManualPart("style", "Style", 7.75, (ITEM,), 2.25, (ITEM,), "good", "tina")
BONUS = Adjustment("Bonus of 1.25 points", 1.25, "for a question", kind="bonus")
SET = Adjustment("Task 5.1 set to 2.75 of 60", -57.25, "half", "5.1", "override")
FULL = full_report()
REPORT = replace(FULL, manual=(PART,), adjustments=(SET, BONUS))
SIGNS = {"en": (".", ","), "de": (",", ".")}


def seen(page: str) -> str:
    """What people see of a page."""
    return Page(page).text


def of_class(report: Report) -> str:
    return seen(class_page_html([report, replace(report, student="ben", manual=(replace(PART, points=3.5),))], []))


OUTLETS: dict[str, Callable[[Report], str]] = {
    "a report": lambda report: seen(report_html(report)),
    "a report as text": report_markdown,
    "a comment at Moodle": comment,
    "an issue at GitHub": issue,
    "what Gradescope shows": lambda report: in_words(report, gradescope.results(report)["output"]),
    "a page beside the code": lambda report: seen(teacher_html(report, {})),
    "the class page": of_class,
    "what a decision changes": lambda report: counted(report, lambda: str(Change("ana", "week5", report, report))),
    "what a later run changes": lambda report: counted(report, lambda: "\n".join(changes([FULL], [report]))),
}


def in_words(report: Report, _: object) -> str:
    with speaking(report.language):
        return str(gradescope.results(report)["output"])


def counted(report: Report, say: Callable[[], str]) -> str:
    with counting(report.language):
        return say()


@pytest.mark.parametrize("language", SIGNS)
@pytest.mark.parametrize("outlet", OUTLETS)
def test_people_read_their_own_decimal_sign(outlet: str, language: str) -> None:
    own, other = SIGNS[language]
    text = OUTLETS[outlet](replace(REPORT, language=language))
    assert re.findall(rf"\d{re.escape(own)}[257]5?\b", text)
    assert re.findall(rf"\d{re.escape(other)}(?:25|75|5)\b", text) == []


def test_the_desk_writes_numbers_as_the_course_does(tmp_path: Path) -> None:
    folder = make_book(tmp_path)
    with open_book(folder) as book, book.changing("tina") as change:
        change.decide(1, Override("Ana Silva", "week5", "bonus", 1.25, "a question", "tina", "2026-10-01"))
        change.decide(1, Override("Ana Silva", "week5", "style", 2.75, "good", "tina", "2026-10-01", most=10))
        change.note("decided")
    for language, (own, other) in SIGNS.items():
        with open_book(folder) as book:
            book.set("language", language)
        with opened(folder) as (tina, _):
            for path in ("/", "/work/1/week5", "/manual/week5/style?student=1", "/figures/week5", "/attempts/1/week5"):
                words = re.sub(r"\b5\.\d+\b", "", tina.get(path).words)  # but for the names of tasks
                assert re.findall(rf"\d{re.escape(other)}\d{{1,2}}\b", words) == [], (path, language)
            assert f"2{own}75" in tina.get("/work/1/week5").words
            said = tina.get("/manual/week5/style?student=1").text
            assert 'data-points="4"' in said and 'data-points="4,' not in said


def test_machines_read_a_point_whatever_the_language() -> None:
    german = replace(REPORT, language="de", checks=(*FULL.checks, replace(FULL.checks[0], seconds=1.5)))
    assert json.loads(german.to_json())["manual"][0]["points"] == 2.25
    assert "1.500" in checks_csv([german]) and "2.25" in everything_json([german])
    page = class_page_html([german], [])
    values = re.findall(r'data-value="([^"]*)"', page)
    assert values and all(re.fullmatch(r"[\d.]*", value) for value in values) and any("." in value for value in values)
    drawn = check("5.3", "learns", FULL.checks[0].outcome, 3, exhibits=exhibits())
    shown = report_html(replace(german, checks=(*FULL.checks, drawn)))
    for text in (page, shown):
        coordinates = re.findall(r' (?:x|y|width|height|r|cx|cy)="([^"]*)"', text)
        assert coordinates and [one for one in coordinates if "," in one] == []
        assert re.findall(r'style="[^"]*\d,\d', text) == []


def test_numbers_of_texts_and_messages_follow_what_is_spoken_or_else_the_course() -> None:
    message = "Task 5.1 set to 2.5 of 7.25; skipped because of 5.3; took 1.5 s"
    with counting("de"):
        assert (decimal(2.5), decimal(1 / 3, 2), decimal(3), decimal("2.5 / 7.5")) == ("2,5", "0,33", "3", "2,5 / 7,5")
        assert retold(message) == "Task 5.1 set to 2,5 of 7,25; skipped because of 5.3; took 1,5 s"
        assert tr("{points} of {most} points", points=2.5, most=5) == "2,5 of 5 points"
        with speaking("en"):
            assert retold(message) == message and decimal(2.5) == "2.5"
        assert decimal(2.5) == "2,5"
    assert retold(message) == message
    with speaking("de"):
        assert retold("Bonus of 2.5 points").count("2,5") == 1 and "5.3" in retold("needs task 5.3")


def test_what_a_teacher_reads_on_the_terminal_has_the_courses_decimal_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course = copied("one_check", tmp_path)
    monkeypatch.chdir(course)
    folder = make_book(course / "reports")
    for language, (own, other) in SIGNS.items():
        (course / "course.toml").write_text(f'title = "Kurs"\nlanguage = "{language}"\n', encoding="utf-8")
        for points in ("1.25", "2.75"):
            assert (
                main(["override", "Ana Silva", "week5", "bonus", points, "--why", "asked", "--out", str(folder)]) == 0
            )
        said = capsys.readouterr().out
        assert re.findall(rf"\d{re.escape(own)}75\b", said) and re.findall(rf"\d{re.escape(other)}75\b", said) == []


@pytest.mark.parametrize(
    "quoted",
    [
        "exercise.py:3\n      x = 1.5 / 2.5  # 0.5 % of 2.5 points",
        "your code raised ValueError: 3.5 of 10 took 1.5 s on 10.0.0.1, by numpy 1.26",
        "weighted\n  called as    weighted(1.5 / 2, '2.5 s')",
        "the title: wrong value; expected 62.50 %, got 62.5 %\n  expected     62.50 %\n  got          62.5 %",
        "use `x = 1.5 / 2` and \"2.5 s\", not '1.5 GB'",
        "week5.py:3 on 127.0.0.1 gives 0.30000000000000004, 1.5e-7, nan and 2.5.1",
    ],
)
def test_what_is_quoted_keeps_its_points(quoted: str) -> None:
    with speaking("de"):
        assert re.findall(r"\d,\d", retold(quoted)) == []
        assert re.findall(r"[\d.]+", retold(quoted)) == re.findall(r"[\d.]+", quoted)


def test_a_bound_is_written_as_people_read_it_wherever_it_stands() -> None:
    with speaking("de"):
        told = retold(
            "accuracy is too low; expected at least 92.5 %, got 81.25 %\n  expected     at least 92.5 %\n"
            "  got          81.25 %\n  because      the model's loss is 1.5 % of the student's 2.5 %"
        )
    assert told.count("92,5 %") == 2 == told.count("81,25 %") and "1,5 %" in told and "2,5 %" in told
