"""The teacher's page shows the student's code beside each lost check, at the line, and runs nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.reports.teacher import excerpts, teacher_html
from grader.results import Delivery, Outcome
from tests.support.reports import HOSTILE, Page, check, full_report, sample_report

CODE = "import torch\n\n\ndef train(\n    model,\n):\n    loss = 1\n    return loss\n\n\ndef other():\n    pass\n"
LOST = check("5.1", "a check", Outcome.FAILED, 5, "wrong", place="training.py:4")


def test_a_function_is_shown_as_a_whole_at_its_line() -> None:
    (excerpt,) = excerpts(LOST, {"training.py": CODE.split("\n")})
    assert (excerpt.file, excerpt.line) == ("training.py", 4)
    assert excerpt.lines[0] == (3, "") and excerpt.lines[1] == (4, "def train(")
    assert excerpt.lines[-1] == (8, "    return loss")


@pytest.mark.parametrize(
    ("message", "place", "found"),
    [
        ("ValueError (lenet.py:2)", "", [("lenet.py", 2)]),
        ("at lenet.py, line 2, in forward", "", [("lenet.py", 2)]),
        ("then training.py:7", "lenet.py:1", [("lenet.py", 1), ("training.py", 7)]),
        ("lenet.py:2 and lenet.py:2 and lenet.py:3", "", [("lenet.py", 2)]),
        ("sub/helper.py:1 and /tmp/x/helper.py:1", "", [("helper.py", 1)]),
        ("torch/nn/functional.py:2 is not theirs, lenet.py:99 and lenet.py:0 are nowhere", "", []),
        ("a" * 8000 + ".py:" + "1" * 8000, "", []),
    ],
)
def test_lines_are_found_by_what_a_check_says(message: str, place: str, found: list[tuple[str, int]]) -> None:
    sources = {"lenet.py": ["a", "b", "c"], "training.py": CODE.split("\n"), "helper.py": ["x"]}
    lost = replace(LOST, message=message, place=place)
    assert [(one.file, one.line) for one in excerpts(lost, sources)] == found


def test_lines_are_counted_as_python_counts_them() -> None:
    page = teacher_html(
        replace(full_report(), checks=(replace(LOST, place="a.py:3"),)), {"a.py": "one\r\ntwo\rthree\x0cx\nfour"}
    )
    assert "3 three\\x0cx" in Page(page).text


def test_a_teacher_reads_all_of_a_hidden_check_and_only_what_was_lost() -> None:
    hidden = replace(LOST, hidden=True, message="logits: wrong values (training.py:7)", title="secret check")
    text = Page(
        teacher_html(replace(full_report(), checks=(*full_report().checks, hidden)), {"training.py": CODE})
    ).text
    assert "logits: wrong values" in text and "7 loss = 1" in text
    assert full_report().checks[0].title not in text


def test_what_a_student_wrote_is_shown_and_never_run(tmp_path: Path) -> None:
    code = f"x = '''{HOSTILE}'''\n" * 3
    report = replace(sample_report(HOSTILE), checks=(replace(LOST, message=HOSTILE, place="training.py:1"),))
    shown = teacher_html(report, {"training.py": code})
    page = Page(shown)
    assert "script" not in {tag for tag, _ in page.tags} and "\x1b" not in shown and "\u202e" not in shown
    assert page.policy()["script-src"] == "'none'" and page.policy()["default-src"] == "'none'"
    assert "<script>alert(1)</script>" in page.text


def test_where_code_is_not_kept_the_page_says_so() -> None:
    assert "does not hold this student's code" in Page(teacher_html(sample_report(), {})).text


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_of_a_teachers_page_is_cut_in_a_browser(width: int, asked_of: Callable[..., Any]) -> None:
    report = replace(
        full_report("x" * 300), checks=(LOST,), delivery=Delivery(("y" * 300,), members=("z" * 300, "Ana"))
    )
    page = teacher_html(report, {"training.py": CODE.replace("loss = 1", "loss = " + "1" * 500)})
    scrolled = asked_of(page, "return page.documentElement.scrollWidth", width)
    assert scrolled <= width
