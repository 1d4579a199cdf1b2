from __future__ import annotations

import io

import pytest
from rich.console import Console

from grader.reports.progress import Progress, in_words
from grader.results import CheckResult, Outcome, Report


def report(student: str) -> Report:
    check = CheckResult("test_week1.py::test_a", "1.1", "a", False, 7, 10, Outcome.PASSED)
    return Report(student, "week1", 0, "v", "s", "a", (check,))


def shown(terminal: bool, *students: str, kept: int = 0) -> str:
    out = io.StringIO()
    progress = Progress(Console(file=out, force_terminal=terminal, width=60, color_system=None))
    with progress.of({"week1": len(students) + 1}, kept):
        for student in students:
            progress.graded(report(student))
        progress.failed("Eve", "week1", "no file\nand a second line")
    return out.getvalue()


def test_one_line_a_submission_where_nobody_watches() -> None:
    assert shown(False, "Ada", "Bob").splitlines() == [
        "[1/3] Ada week1: 7 of 10",
        "[2/3] Bob week1: 7 of 10",
        "[3/3] Eve week1: could not be graded: no file",
    ]


def test_the_number_of_kept_results_comes_first() -> None:
    assert shown(False, kept=4).splitlines()[0] == "4 unchanged since the last run, 1 to grade"


def test_names_are_neither_markup_nor_control_codes_nor_wrapped() -> None:
    name = "[red]Ada\x1b[2J" + "x" * 80
    line = shown(False, name).splitlines()[0]
    assert "[red]Ada" in line
    assert "\x1b" not in line
    assert line.endswith("7 of 10")


def test_a_terminal_has_a_bar_that_ends_full_and_the_same_lines() -> None:
    text = shown(True, "Ada")
    assert "grading" in text
    assert "2/2" in text
    assert "[1/2] Ada week1: 7 of 10" in text


def test_nothing_to_grade_shows_no_bar() -> None:
    out = io.StringIO()
    with Progress(Console(file=out, force_terminal=True, width=60)).of({}, 3):
        pass
    assert "grading" not in out.getvalue()


def timed(terminal: bool, count: int, each: float, start: float = 0.0) -> list[str]:
    """The lines of a class whose results come every so many seconds after a start, by a made-up clock."""
    out, now = io.StringIO(), [0.0]
    console = Console(file=out, force_terminal=terminal, width=60, color_system=None)
    progress = Progress(console, clock=lambda: now[0])
    with progress.of({"week1": count}, 0):
        now[0] += start
        for number in range(count):
            now[0] += each
            progress.graded(report(f"student{number}"))
    return out.getvalue().splitlines()


def test_lines_say_now_and_then_how_long_it_will_take() -> None:
    lines = timed(False, 100, 12.0)
    said = [line for line in lines if "left" in line]
    assert len(lines) == 100 + len(said)
    assert said[0] == "about 19 min left"  # after the fifth of 100, at 12 s each
    assert lines.index(said[0]) == 5
    assert len(said) == 19  # one a minute
    assert lines[-1].startswith("[100/100]")


def test_a_bunch_of_first_results_promises_no_early_end() -> None:
    lines = timed(False, 21, 1.0, start=59.0)  # the judges start together, and end together
    assert lines[1] == "about 20 min left"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "less than a minute left"), (125, "about 2 min left"), (5000, "about 1 h 20 min left")],
)
def test_what_is_left_is_said_coarsely(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_a_short_run_does_not_say_how_long_it_will_take() -> None:
    assert not [line for line in timed(False, 20, 1.0) if "left" in line]


def test_the_bar_says_how_long_it_will_take() -> None:
    assert "19:00" in "\n".join(timed(True, 100, 12.0))  # after the fifth
