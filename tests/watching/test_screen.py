"""What the watcher writes below the score: what was saved, and how many checks that touched."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from grader.results import CheckResult, Outcome
from grader.watching.screen import Screen, Shown

PASSED = CheckResult("t::a", "1.1", "doubles", False, 5, 5, Outcome.PASSED)


@pytest.mark.parametrize(
    ("ran", "says"), [(["t::a"], "work.py saved: 1 check in "), (["t::a", "t::b"], "work.py saved: 2 checks in ")]
)
def test_a_save_says_how_many_checks_it_touched(ran: list[str], says: str) -> None:
    written = io.StringIO()
    Screen(Console(file=written, width=200)).draw(Shown("week1", [PASSED], ran=ran, saved=["work.py"]))
    assert says in written.getvalue()


@pytest.mark.parametrize(
    ("whole", "hidden", "says"),
    [
        (True, 40, "Every public check passes. Hidden checks are worth 40 points more"),
        (False, 40, "Every check that ran passes."),
        (True, 0, "Every check passes."),
    ],
)
def test_only_a_whole_week_passes_with_what_its_hidden_checks_are_about(whole: bool, hidden: int, says: str) -> None:
    written = io.StringIO()
    Screen(Console(file=written, width=200), hidden=hidden).draw(Shown("week1", [PASSED], whole=whole))
    assert says in written.getvalue()
