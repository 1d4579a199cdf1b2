"""The terminal's tables fit their width, use words and no colour alone, and end in what to do next."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from grader.gradebook import Problem
from grader.language import speaking
from grader.reports import terminal, words
from grader.results import CheckResult, Outcome, Report
from tests.support.reports import HOSTILE, check, full_report, sample_report


def drawn(draw: Callable[[Console], None], width: int = 80) -> list[str]:
    file = io.StringIO()
    draw(terminal.plain_console(file, width))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def score_lines(report: Report, width: int = 80) -> list[str]:
    return drawn(partial(terminal.print_score, report), width)


def class_lines(reports: list[Report], problems: list[Problem]) -> list[str]:
    return drawn(partial(terminal.print_class, reports, problems))


def report(*checks: CheckResult) -> Report:
    return replace(full_report(), checks=checks)


def test_each_task_has_its_points_and_its_state() -> None:
    lines = score_lines(
        report(
            check("5.10", "mistakes", Outcome.ERROR, 6, "your code raised IndexError"),
            check("5.1", "size", Outcome.PASSED, 5),
            check("5.3", "shapes", Outcome.PASSED, 4),
            check(
                "5.3", "LeNet's hidden is part of the graph", Outcome.FAILED, 5, "hidden is cut off", place="lenet.py:9"
            ),
            check("5.4", "transforms", Outcome.TODO, 100),
        )
    )
    assert lines == [
        "5.1     5/5  ██████████  done",
        "5.3     4/9  ████░░░░░░  wrong  1 of 2 checks pass; first problem: hidden is cut",
        "                                off",
        "5.4   0/100  ░░░░░░░░░░  to do",
        "5.10    0/6  ░░░░░░░░░░  error  first problem: your code raised IndexError",
        "all   9/120  █░░░░░░░░░",
        "",
        "Next: task 5.3 (wrong), lenet.py:9: LeNet's hidden is part of the graph",
        "      pytest assignments/week5 --task 5.3",
    ]


def test_the_lines_of_a_pytest_run_name_the_command_that_was_used() -> None:
    results = [check("5.1", "size", Outcome.TODO, 5), check("5.2", "pool", Outcome.PASSED, 5)]
    assert terminal.summary_lines(results, "pytest /home/me/my course/week5")[-2:] == [
        "Next: task 5.1 (to do): size",
        "      pytest /home/me/my course/week5 --task 5.1",
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_outcome_is_named_within_the_width(width: int) -> None:
    lines = score_lines(sample_report(), width)
    assert max(cell_len(line) for line in lines[:-3]) <= width
    for outcome in {score.outcome for score in sample_report().tasks()}:
        assert any(words.word(outcome) in line for line in lines)


def test_every_outcome_has_a_short_word_and_a_phrase_of_its_own() -> None:
    short, phrases = [{say(o) for o in Outcome} for say in (words.word, words.phrase)]
    assert len(short) == len(phrases) == len(Outcome)
    assert max(map(len, short)) <= 8


@pytest.mark.parametrize(
    ("points", "most", "blocks"), [(0, 9, 0), (1, 100, 1), (4, 9, 4), (99, 100, 9), (5, 5, 10), (0, 0, 10)]
)
def test_a_bar_is_full_only_for_full_points_and_empty_only_for_none(points: int, most: int, blocks: int) -> None:
    assert words.bar(points, most) == "█" * blocks + "░" * (10 - blocks)


def next_title(*checks: CheckResult) -> str | None:
    step = words.next_step(report(*checks).tasks(), "pytest")
    return step.check.title if step else None


def test_the_next_step_is_the_first_task_that_one_can_do_something_about() -> None:
    ours = check("5.1", "ours", Outcome.BROKEN, 1)
    waiting = check("5.2", "waiting", Outcome.SKIPPED, 1)
    wrong, later = check("5.3", "wrong", Outcome.FAILED, 1), check("5.10", "later", Outcome.TODO, 1)
    assert next_title(ours, waiting, later, wrong) == "wrong"
    assert next_title(ours, waiting, later) == "later"
    assert next_title(ours, waiting) == "waiting"
    assert next_title(ours) is None
    assert next_title(check("5.1", "fine", Outcome.PASSED, 1)) is None


def test_the_next_step_prefers_a_check_that_can_be_run() -> None:
    hidden = check("5.3", "hidden", Outcome.FAILED, 1, hidden=True)
    public = check("5.3", "public", Outcome.FAILED, 1)
    step = words.next_step(report(hidden, public).tasks(), "pytest assignments/week5")
    assert step and (step.check, step.command) == (public, "pytest assignments/week5 --task 5.3")
    alone = words.next_step(report(hidden).tasks(), "pytest assignments/week5")
    assert alone and (alone.check, alone.command) == (hidden, "")


def test_nothing_left_to_do_is_said() -> None:
    assert score_lines(full_report())[-1] == "Every check passes."
    ours = report(check("5.1", "ours", Outcome.BROKEN, 1))
    assert score_lines(ours)[-1] == "Nothing to do: what is missing is a fault of ours."


def test_the_class_summary_and_what_is_not_final_by_name() -> None:
    problems = [Problem("petra", "week5", "week5.zip: not a zip file"), Problem("quentin", None, "empty")]
    assert class_lines([full_report(), sample_report("zoë")], problems) == [
        "Week   graded  provisional  not graded   mean  median  lowest  highest",
        "week5       1            1           2  100.0   100.0     100      100",
        "",
        "Hardest tasks",
        "week5  5.4  ░░░░░░░░░░  0 of 1 done",
        "week5  5.5  ░░░░░░░░░░  0 of 1 done",
        "week5  5.6  ░░░░░░░░░░  0 of 1 done",
    ]
    assert terminal.trouble_lines([full_report(), sample_report("zoë")], problems) == [
        "provisional: zoë week5: test_hidden.py::test_figures_of_a_single_entry is broken: KeyError: 'axes'",
        "not graded: petra week5: week5.zip: not a zip file",
        "not graded: quentin: empty",
    ]


def test_a_class_without_trouble_gets_no_list_of_trouble() -> None:
    assert len(class_lines([full_report()], [])) == 2
    assert terminal.trouble_lines([full_report()], []) == []


def test_untrusted_text_is_neither_markup_nor_escape_sequence() -> None:
    lines = terminal.trouble_lines([full_report("[red]ana[/red]")], [Problem("\x1b[2J[bold]", None, HOSTILE)])
    text = "\n".join(lines)
    assert "[bold]" in text
    assert "\\x1b[2J" in text
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]


def test_colour_comes_on_top_of_the_same_text() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system="standard", no_color=False)
    terminal.print_score(sample_report(), console)
    assert "\x1b[" in file.getvalue()
    plain = Console(file=io.StringIO(), width=80, color_system=None)
    with plain.capture() as capture:
        terminal.print_score(sample_report(), plain)
    assert [line.rstrip() for line in capture.get().splitlines()] == score_lines(sample_report())


def test_plain_lines_do_not_depend_on_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = score_lines(sample_report())
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "40", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    assert score_lines(sample_report()) == before


PASSED, FAILED = (check("5.3", "LeNet", outcome, 5, "wrong") for outcome in (Outcome.PASSED, Outcome.FAILED))
LESSON = "# Week 5\n\n### 5.31 Another\n\n### 5.3 `class LeNet(nn.Module)` · lenet.py · 10 points\n"


def desk(*checks: CheckResult, width: int = 80, colour: bool = False, **more: Any) -> list[str]:
    return terminal.desk_lines(checks, "pytest assignments/week5", width, colour, **more)


def test_only_a_whole_week_is_all_of_it_and_then_hidden_checks_are_still_to_come() -> None:
    assert desk(PASSED, whole=False)[-1] == "Every check that ran passes."
    assert desk(PASSED, whole=True, hidden=40)[-1].startswith("Every public check passes. Hidden checks are worth 40")


def test_the_next_step_names_the_heading_of_the_lesson() -> None:
    assert desk(FAILED, lesson=LESSON)[-3:] == [
        "Next: task 5.3 (wrong): LeNet",
        "      in the lesson: 5.3 class LeNet(nn.Module)",
        "      pytest assignments/week5 --task 5.3",
    ]


@pytest.mark.parametrize(("width", "most"), [(1, 60), (60, 60), (100, 100), (200, 200), (5000, 200)])
def test_the_score_fits_the_width_of_the_window(width: int, most: int) -> None:
    long = check("5.3", "LeNet", Outcome.FAILED, 5, "wrong " * 60)
    lines = desk(long, PASSED, width=width)
    table = lines[: lines.index("")]
    assert most - 12 <= max(map(cell_len, table)) <= most


def test_colour_is_asked_for_and_changes_no_word() -> None:
    coloured = desk(FAILED, PASSED, colour=True)
    assert any("\x1b[" in line for line in coloured)
    assert [re.sub(r"\x1b\[[\d;]*m", "", line).rstrip() for line in coloured] == desk(FAILED, PASSED)


def test_what_a_check_printed_stands_below_its_message() -> None:
    shown = replace(FAILED, hint="Look.", output="one\ntwo")
    assert terminal.check_lines(shown) == [
        "wrong",
        "",
        "  hint         Look.",
        "  printed      one",
        "               two",
    ]


def test_a_long_problem_is_cut_between_words_where_there_are_some() -> None:
    words_of = CheckResult("t::a", "5.1", "a", False, 0, 1, Outcome.ERROR, "IndexError: " + "elevenchars " * 40)
    says = words.problem(words_of)
    assert len(says) <= words.LONGEST and says.endswith("elevenchars…")
    assert len(words.problem(replace(words_of, message="x" * 999))) == words.LONGEST


def test_the_table_says_what_is_wrong_without_the_call_that_stands_below() -> None:
    message = "your code raised KeyError: 1 (lenet.py:3), in pool(7)\n  called as    pool(7)\n  lenet.py:3"
    raised = CheckResult("t::a", "5.1", "a", False, 0, 1, Outcome.ERROR, message)
    assert words.problem(raised) == "your code raised KeyError: 1 (lenet.py:3)"
    with speaking("de"):
        assert words.problem(raised) == "dein Code hat KeyError ausgelöst: 1 (lenet.py:3)"
    assert words.problem(replace(raised, message="wrong value; expected 3, in pool(7)")).endswith(", in pool(7)")
