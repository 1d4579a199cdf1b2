"""Figures check by check count everybody once, and say nothing of a check that too few have reached."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.reports.items import ALIKE, TOO_FEW, discrimination, item_figures
from grader.results import Delivery, Outcome, Report
from tests.support.classes import make_class
from tests.support.reports import check, full_report


def marked(student: str, *outcomes: Outcome) -> Report:
    """A report of as many checks, of one point each."""
    checks = tuple(check("5.1", f"check {place}", outcome, 1) for place, outcome in enumerate(outcomes))
    return replace(full_report(student), checks=checks)


def by_means(pairs: list[tuple[bool, float]]) -> float:
    """The point-biserial correlation as textbooks have it: the difference of both groups' means, over the spread."""
    passed, failed = [x for one, x in pairs if one], [x for one, x in pairs if not one]
    mean = math.fsum(x for _, x in pairs) / len(pairs)
    spread = math.sqrt(math.fsum((x - mean) ** 2 for _, x in pairs) / len(pairs))
    share = len(passed) / len(pairs)
    return (sum(passed) / len(passed) - sum(failed) / len(failed)) / spread * math.sqrt(share * (1 - share))


@given(st.integers(0, 10**6), st.integers(20, 60))
def test_discrimination_is_the_point_biserial_correlation(seed: int, count: int) -> None:
    drawn = random.Random(seed)
    pairs = [(place % 3 == 0, drawn.random()) for place in range(count)]
    found = discrimination(pairs)
    assert found.value == pytest.approx(by_means(pairs), abs=1e-9)
    assert found.is_reversed == (found.word == "reversed")


@pytest.mark.parametrize(
    ("passed", "failed", "word"),
    [(10, 9, TOO_FEW), (16, 4, TOO_FEW), (4, 16, TOO_FEW), (20, 0, ALIKE), (0, 20, ALIKE), (5, 15, "very good")],
)
def test_too_few_or_all_alike_have_no_figure(passed: int, failed: int, word: str) -> None:
    found = discrimination([*((True, 0.9) for _ in range(passed)), *((False, 0.1) for _ in range(failed))])
    assert (found.word, found.value is None) == (word, word in (TOO_FEW, ALIKE))


def test_a_check_does_not_count_in_what_it_is_compared_with() -> None:
    right, wrong = Outcome.PASSED, Outcome.FAILED
    reports = [marked(f"s{n}", right if n % 2 else wrong, right if n < 15 else wrong) for n in range(30)]
    first, _ = item_figures(reports)
    pairs = [(bool(n % 2), float(n < 15)) for n in range(30)]
    assert first.discrimination == discrimination(pairs)


def test_a_check_that_the_able_fail_is_reversed() -> None:
    right, wrong = Outcome.PASSED, Outcome.FAILED
    reports = [marked(f"s{n}", *((wrong, right, right) if n % 2 else (right, wrong, wrong))) for n in range(30)]
    (first, *_) = item_figures(reports)
    assert first.discrimination.is_reversed


def test_who_did_not_reach_a_check_says_nothing_of_it() -> None:
    right, wrong = Outcome.PASSED, Outcome.FAILED
    reached = [marked(f"s{n}", right if n % 2 else wrong, right if n % 3 else wrong) for n in range(30)]
    waiting = [marked(f"w{n}", Outcome.SKIPPED if n % 2 else Outcome.TODO, wrong) for n in range(30)]
    first, _ = item_figures([*reached, *waiting])
    assert (first.passed, first.failed, first.unreached) == (15, 15, 30)
    assert first.discrimination == item_figures(reached)[0].discrimination


def test_a_groups_work_counts_once() -> None:
    right, wrong = Outcome.PASSED, Outcome.FAILED
    pairs = []
    for n in range(12):
        one = marked(f"a{n}", right if n % 2 else wrong, right)
        one = replace(one, submission=f"{n:064x}", delivery=Delivery(members=(f"a{n}", f"b{n}")))
        pairs += [one, replace(one, student=f"b{n}")]
    first, _ = item_figures(pairs)
    assert (first.students, first.discrimination.word) == (24, TOO_FEW)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_every_student_is_counted_once_in_each_check(seed: int) -> None:
    reports = [report for report in make_class(30, weeks=1, seed=seed, tasks=4).reports if report.counts]
    for item in item_figures(reports):
        assert item.students == len(reports)
        assert item.discrimination.value is None or -1 <= item.discrimination.value <= 1


def test_the_order_of_the_class_does_not_matter() -> None:
    reports = make_class(40, weeks=1).reports
    assert item_figures(reports) == item_figures(reports[::-1])
