"""Exhibits beside a verdict show what is so, whatever the evidence and the file."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fixtures.bands import BANDS
from grader.checks import show
from grader.reports.drawing import HEIGHT, WIDTH, band, line, shade
from grader.reports.pages import report_html, report_markdown
from grader.results import CheckResult, Report, exhibits
from grader.results.exhibits import Confusion, Curve, Mistakes
from tests.support.reports import BAND, LABELS, LOGITS, NAMES, Page, full_report, shown_report


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    show.take()
    yield
    show.take()


def shown(kind: type) -> Any:
    (found,) = [exhibit for exhibit in show.take()[0] if isinstance(exhibit, kind)]
    return found


def test_a_curve_is_the_means_of_the_batches() -> None:
    show.curve("Loss", [2.0, 1.0, 0.5, 0.7, 0.1], BAND)
    curve = shown(Curve)
    assert (curve.values, curve.low, curve.high, curve.per) == ((1.5, 0.6, 0.1), (1.0, 0.5), (2.0, 1.5), 2)
    assert curve.inside == 2
    assert line(curve) == f"0.0,{HEIGHT * (1 - 1.5 / 2):.1f} {WIDTH / 2:.1f},84.0 {WIDTH:.1f},114.0"
    assert band(curve).split() == ["0.0,0.0", "160.0,30.0", "160.0,90.0", "0.0,60.0"]


@pytest.mark.parametrize(
    "losses", [None, {}, "2", [], [float("nan")], [1.0, "2"], [1.0, float("inf")], [True], [torch.ones(1)]]
)
def test_evidence_that_is_no_curve_is_left_out(losses: object) -> None:
    show.curve("Loss", losses, BAND)
    assert show.take() == ((), ())


def test_an_endless_curve_is_cut_off_and_left_out() -> None:
    show.curve("Loss", [1.0] * 10**6, BAND)
    assert show.take() == ((), ())


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40))
def test_no_curve_leaves_its_drawing(losses: list[float]) -> None:
    show.take()
    show.curve("Loss", losses, BAND)
    points = [tuple(map(float, point.split(","))) for point in line(shown(Curve)).split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)


def test_a_curve_that_explodes_does_not_burst_the_page() -> None:
    show.curve("Loss", [1e300, 1e308], BAND)
    report = full_report()
    report = replace(report, checks=(replace(report.checks[0], exhibits=(shown(Curve),)),))
    assert max(map(len, Page(report_html(report)).text.split())) < 80


def test_confusions_are_counted_under_the_classes_own_names() -> None:
    show.confusion(LOGITS, LABELS, NAMES)
    matrix = shown(Confusion)
    assert matrix.names == ("eight", "five", "seven")
    assert matrix.counts == ((2, 0, 0), (0, 0, 1), (1, 0, 1))
    assert matrix.commonest == [("five", "seven", 1), ("seven", "eight", 1)]
    assert [shade(matrix, row, 0) for row in range(3)] == [5, 0, 3]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_surest_mistakes_come_first_with_their_images(channels: int) -> None:
    images = torch.arange(5 * channels * 16, dtype=torch.uint8).reshape(5, channels, 4, 4)
    show.mistakes(images, LOGITS, LABELS, NAMES, most=2)
    first, second = shown(Mistakes).entries
    assert (first.right, first.taken, second.right, second.taken) == ("five", "seven", "seven", "eight")
    assert first.sure > 0.99 > second.sure
    picture = Image.open(io.BytesIO(base64.b64decode(first.png)))
    want = images[4].permute(1, 2, 0).flatten().tolist()
    assert list(picture.tobytes()) == want


def test_without_a_mistake_there_is_nothing_to_show() -> None:
    show.mistakes(torch.zeros(5, 1, 4, 4, dtype=torch.uint8), LOGITS, LOGITS.argmax(1), NAMES)
    assert show.take() == ((), ())


@pytest.mark.parametrize(
    ("own", "names"),
    [
        ({"head": True, "groups": True}, ()),
        ({"head": True, "groups": False}, ("param_groups",)),
        ({"head": 1}, ("swap_head", "param_groups")),
        (None, ("swap_head", "param_groups")),
    ],
)
def test_the_functions_that_a_check_replaced_are_named(own: object, names: tuple[str, ...]) -> None:
    show.stand_in(own, {"head": "swap_head", "groups": "param_groups"})
    assert show.take() == ((), names)


def test_exhibits_survive_a_round_trip_through_json() -> None:
    report = shown_report(stand_ins=("split",))
    assert Report.from_dict(report.to_dict()) == report
    check = report.checks[0]
    assert CheckResult.from_dict(check.to_dict()) == check
    assert [exhibits.from_dict(exhibits.to_dict(exhibit)) for exhibit in check.exhibits] == list(check.exhibits)
    assert "exhibits" not in report.checks[1].to_dict()


def test_hidden_checks_show_no_exhibits() -> None:
    assert shown_report(hidden=True).for_student().checks[0].exhibits == ()


def test_page_and_markdown_say_the_same_in_words() -> None:
    report = shown_report(stand_ins=("split", "loaders"))
    page, text = Page(report_html(report)), report_markdown(report)
    assert "Loss goes from 1.5 to 0.1 in your run; the reference's ends between 0.5 and 1.5." in [
        attrs.get("aria-label") for _, attrs in page.tags
    ]
    assert [attrs["alt"] for tag, attrs in page.tags if tag == "img"] == [
        "five taken for seven",
        "seven taken for eight",
    ]
    assert page.policy()["img-src"] == "data:"
    assert "Loss, from batch to batch: 1.5, 0.6, 0.1. The reference's ends between 0.5 and 1.5." in text
    for said in (page.text, " ".join(text.split())):
        assert "five taken for seven (1), seven taken for eight (1)" in said
        assert "Judged with ours in place of your split, loaders" in said


def test_each_weeks_band_fits_together() -> None:
    for limits in BANDS.values():
        assert len(limits["low"]) == len(limits["high"]) <= show.MOST_VALUES
        assert all(0 < low <= high for low, high in zip(limits["low"], limits["high"], strict=True))
