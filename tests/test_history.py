"""A student's history says what changed and when, stays on their computer, and can be switched off."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from grader import history
from grader.cli.main import cli
from grader.results import CheckResult, Outcome
from tests.support.courses import copied
from tests.support.reports import check


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(history.VARIABLE, raising=False)


def week(*outcomes: Outcome) -> list[CheckResult]:
    return [check(f"5.{number}", "a title", outcome, 4) for number, outcome in enumerate(outcomes, 1)]


def kept(root: Path) -> list[tuple[str, int]]:
    return [(step.task, step.points) for step in history.read(root)]


def test_only_what_changed_is_kept(tmp_path: Path) -> None:
    history.note(tmp_path, "week5", week(Outcome.PASSED, Outcome.TODO))
    history.note(tmp_path, "week5", week(Outcome.PASSED, Outcome.TODO))
    history.note(tmp_path, "week5", week(Outcome.PASSED, Outcome.PASSED))
    assert kept(tmp_path) == [("5.1", 4), ("5.2", 0), ("5.2", 4)]
    assert history.latest(history.read(tmp_path))["5.2"].points == 4
    assert (tmp_path / ".grader/.gitignore").read_text() == "*\n"  # no part of the work


def test_it_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST", 3)
    for number in range(4):
        history.note(tmp_path, "week5", week(Outcome.PASSED if number % 2 else Outcome.TODO))
    assert kept(tmp_path) == [("5.1", 4), ("5.1", 0), ("5.1", 4)]


def test_who_opts_out_has_none_and_loses_what_there_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history.note(tmp_path, "week5", week(Outcome.PASSED))
    history.switch(tmp_path, on=False)
    history.note(tmp_path, "week5", week(Outcome.PASSED))
    assert kept(tmp_path) == []
    history.switch(tmp_path, on=True)
    monkeypatch.setenv(history.VARIABLE, "0")
    history.note(tmp_path, "week5", week(Outcome.PASSED))
    assert kept(tmp_path) == []


@pytest.mark.parametrize("line", ["", "{", "[]", "{}", '{"at": "x"}', '{"at": 3}', "\xff"])
def test_a_line_that_cannot_be_read_loses_no_other(tmp_path: Path, line: str) -> None:
    history.note(tmp_path, "week5", week(Outcome.PASSED))
    with (tmp_path / ".grader/history.jsonl").open("a", encoding="latin-1") as file:
        file.write(f"{line}\n")
    assert kept(tmp_path) == [("5.1", 4)]


def test_a_folder_that_cannot_be_written_has_no_history(tmp_path: Path) -> None:
    (tmp_path / ".grader").write_text("a file in the way")
    history.note(tmp_path, "week5", week(Outcome.PASSED))
    assert kept(tmp_path) == []


def test_progress_shows_each_task_and_the_time_to_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = copied("one_check", tmp_path)
    with (root / "assignments/week1/assignment.toml").open("a") as file:
        file.write("\ndue = 2001-01-01T00:00:00+00:00\n")
    todo = check("1.3", "thrice", Outcome.TODO, 4)
    passed = [check(task, "twice", Outcome.PASSED, 4) for task in ("1.1", "1.2")]
    history.note(root, "week1", [todo])  # the last task first
    history.note(root, "week1", [*passed, check("1.2", "half", Outcome.FAILED, 4), todo])
    monkeypatch.chdir(root)
    lines = CliRunner().invoke(cli, ["progress", "week1"]).stdout.splitlines()
    assert lines[0].startswith("week1: 8 of 16 points; the deadline was ")
    done, half, nothing = lines[1:4]
    assert "1.1  4/4  ██████████  done since" in done
    assert "this many points since" in half
    assert nothing.rstrip().endswith("no points yet")
