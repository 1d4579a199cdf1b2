"""A report says what was handed in, when, with what extension, and for whom; what nobody knows is left out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from grader.reports.pages import report_html, report_markdown
from grader.reports.words import facts
from grader.results import Delivery, Report
from tests.support.reports import HOSTILE, Page, full_report

WHOLE = Delivery(
    files=("lenet-1.py", "training.py"), version=2, at="2026-10-06 10:00 (UTC+02:00)",
    due="2026-10-07 23:59 (UTC+02:00)", extension="2 days more", group="Team 3", members=("Ana", "Ben"),
)  # fmt: skip


def test_all_that_is_known_is_told() -> None:
    assert facts(WHOLE) == [
        ("Files read", "lenet-1.py, training.py"),
        ("Attempt", "number 2 that was graded, the latest"),
        ("Handed in", "2026-10-06 10:00 (UTC+02:00)"),
        ("Extension", "2 days more, so due 2026-10-07 23:59 (UTC+02:00)"),
        ("Group Team 3", "Ana, Ben"),
    ]
    assert facts(None) == []
    assert facts(Delivery(files=("a.py",))) == [("Files read", "a.py"), ("Attempt", "the first that was graded")]


@pytest.mark.parametrize("delivery", [None, Delivery(), WHOLE])
def test_a_delivery_comes_back_from_json(delivery: Delivery | None) -> None:
    report = replace(full_report(), delivery=delivery)
    assert Report.from_dict(json.loads(report.to_json())) == report


def test_reports_show_it_and_no_markup_of_a_students() -> None:
    report = replace(full_report(), delivery=replace(WHOLE, files=(HOSTILE,), members=("<b>Ana", "Ben")))
    page = Page(report_html(report))
    assert "What was handed in" in page.text and "<b>Ana, Ben" in page.text
    assert "script" not in {tag for tag, _ in page.tags}
    lines = report_markdown(report).splitlines()
    assert "- Extension: 2 days more, so due 2026-10-07 23:59 (UTC+02:00)" in lines
    assert any(line.startswith("- Files read: ") and "<script>" not in line for line in lines)
    assert "What was handed in" not in report_html(full_report())
