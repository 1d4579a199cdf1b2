"""Hypothesis draws once for a class, and the reports are those of a judge where it draws for each submission."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.judging.fork_server_client import ForkServer
from grader.judging.job import Job
from grader.judging.judge_process import JudgeProcess
from grader.results import Outcome, Report
from grader.sandbox import Process
from tests.support import amount
from tests.support.courses import copied
from tests.support.quick import QUICK


@pytest.fixture(scope="module")
def draws_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied("draws", tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def draws_server(draws_root: Path) -> Iterator[ForkServer]:
    """Start the fork server for all tests here. It ends with its last user, which is this fixture."""
    shared = ForkServer(draws_root, ["week1"], Process(), QUICK)
    keeper = JudgeProcess(draws_root, ["week1"], Process(), fork_server=shared)
    keeper.grade(Job("first", "week1", {}, "digest", (), 0))
    yield shared
    keeper.close()


@pytest.fixture
def draws_judge(draws_root: Path, draws_server: ForkServer) -> Iterator[JudgeProcess]:
    """Fork a judge that knows nothing yet."""
    (draws_root / "assignments/week1/log").unlink(missing_ok=True)
    fresh = JudgeProcess(draws_root, ["week1"], Process(), fork_server=draws_server)
    yield fresh
    fresh.close()


def grade(judge: JudgeProcess, who: str, code: str = "return 2 * n", seed: int = 1) -> Report:
    """Grade a submission. Its `who` is evidence, so the replay cache gives no submission another one's verdict."""
    source = f"WHO = {who!r}\ndef double(n):\n    {code}\n"
    report = judge.grade(Job(who, "week1", {"work.py": source.encode()}, "digest", (), seed))
    return replace(report, student="", checks=tuple(replace(check, seconds=0.0) for check in report.checks))


def calls(course: Path, name: str) -> list[tuple[str, str]]:
    """Return who called a check since this was last asked (for any check), and with what."""
    log = course / "assignments/week1/log"
    lines = [line.split(" ", 2) for line in log.read_text().splitlines()]
    return [(who, drawn) for check, who, drawn in lines if check == name]


def forget(course: Path) -> None:
    (course / "assignments/week1/log").write_text("")


def test_the_next_submission_is_asked_the_same_without_hypothesis(draws_root: Path, draws_judge: JudgeProcess) -> None:
    assert grade(draws_judge, "Ada").score == 100
    first = calls(draws_root, "numbers")
    assert len(first) == 6
    assert {who for who, _ in first} == {"hypothesis"}
    assert len({drawn for _, drawn in first}) == 6
    for who in ("Bob", "Cleo"):
        forget(draws_root)
        assert grade(draws_judge, who).score == 100
        assert calls(draws_root, "numbers") == [("plain", drawn) for _, drawn in first]
        assert len(calls(draws_root, "none")) == 1


def test_another_seed_draws_anew(draws_root: Path, draws_judge: JudgeProcess) -> None:
    grade(draws_judge, "Ada")
    first = calls(draws_root, "numbers")
    forget(draws_root)
    grade(draws_judge, "Bob", seed=2)
    second = calls(draws_root, "numbers")
    assert {who for who, _ in second} == {"hypothesis"}
    assert {drawn for _, drawn in first} != {drawn for _, drawn in second}
    forget(draws_root)
    grade(draws_judge, "Cleo", seed=1)
    assert calls(draws_root, "numbers") == [("plain", drawn) for _, drawn in first]


def test_lists_may_have_been_changed_and_are_drawn_each_time(draws_root: Path, draws_judge: JudgeProcess) -> None:
    for who in ("Ada", "Bob"):
        forget(draws_root)
        assert grade(draws_judge, who).score == 100
        assert {who for who, _ in calls(draws_root, "lists")} == {"hypothesis"}


def test_a_check_that_talks_to_hypothesis_is_left_to_it(draws_root: Path, draws_judge: JudgeProcess) -> None:
    for who in ("Ada", "Bob", "Cleo"):
        forget(draws_root)
        assert grade(draws_judge, who).score == 100
        assert [who for who, _ in calls(draws_root, "notes")] == ["hypothesis"] * 3


other_ends = amount.in_full("a wrong value and a lost process stand for all ends")


@pytest.mark.parametrize(
    "wrong",
    [
        "return 2 * n + (n > 5000)",
        "return [2 * n, __import__('os')._exit(3)][n > 5000]",
        pytest.param("return 2 * n + (n % 2)", marks=other_ends),
        pytest.param("return 2 * n if n < 5000 else [][n]", marks=other_ends),
        pytest.param("raise NotImplementedError('TODO 1.1: double')", marks=other_ends),
    ],
)
def test_known_examples_change_no_report(draws_root: Path, draws_judge: JudgeProcess, wrong: str) -> None:
    alone = grade(draws_judge, "Eve", wrong)
    assert alone.score < 100
    assert grade(draws_judge, "Ada").score == grade(draws_judge, "Bob").score == 100
    forget(draws_root)
    assert grade(draws_judge, "Eve", wrong) == alone
    kinds = [who for who, _ in calls(draws_root, "numbers")]
    assert kinds[0] == "plain"
    assert kinds[-1] == "hypothesis"


def test_nothing_is_learnt_from_a_failed_run(draws_root: Path, draws_judge: JudgeProcess) -> None:
    assert grade(draws_judge, "Eve", "return 2 * n + (n > 5000)").checks[0].outcome is Outcome.FAILED
    forget(draws_root)
    assert grade(draws_judge, "Ada").score == 100
    assert [who for who, _ in calls(draws_root, "numbers")] == ["hypothesis"] * 6
