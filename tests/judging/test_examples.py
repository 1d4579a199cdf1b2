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
from tests.support.courses import copied
from tests.support.quick import QUICK


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied("draws", tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def fork_server(course: Path) -> Iterator[ForkServer]:
    """Start the fork server for all tests here. It ends with its last user, which is this fixture."""
    shared = ForkServer(course, ["week1"], Process(), QUICK)
    keeper = JudgeProcess(course, ["week1"], Process(), fork_server=shared)
    keeper.grade(Job("first", "week1", {}, "digest", (), 0))
    yield shared
    keeper.close()


@pytest.fixture
def judge(course: Path, fork_server: ForkServer) -> Iterator[JudgeProcess]:
    """Fork a judge that knows nothing yet."""
    (course / "assignments/week1/log").unlink(missing_ok=True)
    fresh = JudgeProcess(course, ["week1"], Process(), fork_server=fork_server)
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


def test_the_next_submission_is_asked_the_same_without_hypothesis(course: Path, judge: JudgeProcess) -> None:
    assert grade(judge, "Ada").score == 100
    first = calls(course, "numbers")
    assert len(first) == 6
    assert {who for who, _ in first} == {"hypothesis"}
    assert len({drawn for _, drawn in first}) == 6
    for who in ("Bob", "Cleo"):
        forget(course)
        assert grade(judge, who).score == 100
        assert calls(course, "numbers") == [("plain", drawn) for _, drawn in first]
        assert len(calls(course, "none")) == 1


def test_another_seed_draws_anew(course: Path, judge: JudgeProcess) -> None:
    grade(judge, "Ada")
    first = calls(course, "numbers")
    forget(course)
    grade(judge, "Bob", seed=2)
    second = calls(course, "numbers")
    assert {who for who, _ in second} == {"hypothesis"}
    assert {drawn for _, drawn in first} != {drawn for _, drawn in second}
    forget(course)
    grade(judge, "Cleo", seed=1)
    assert calls(course, "numbers") == [("plain", drawn) for _, drawn in first]


def test_lists_may_have_been_changed_and_are_drawn_each_time(course: Path, judge: JudgeProcess) -> None:
    for who in ("Ada", "Bob"):
        forget(course)
        assert grade(judge, who).score == 100
        assert {who for who, _ in calls(course, "lists")} == {"hypothesis"}


def test_a_check_that_talks_to_hypothesis_is_left_to_it(course: Path, judge: JudgeProcess) -> None:
    for who in ("Ada", "Bob", "Cleo"):
        forget(course)
        assert grade(judge, who).score == 100
        assert [who for who, _ in calls(course, "notes")] == ["hypothesis"] * 3


@pytest.mark.parametrize(
    "wrong",
    [
        "return 2 * n + (n > 5000)",
        "return 2 * n + (n % 2)",
        "return 2 * n if n < 5000 else [][n]",
        "return [2 * n, __import__('os')._exit(3)][n > 5000]",
        "raise NotImplementedError('TODO 1.1: double')",
    ],
)
def test_known_examples_change_no_report(course: Path, judge: JudgeProcess, wrong: str) -> None:
    alone = grade(judge, "Eve", wrong)
    assert alone.score < 100
    assert grade(judge, "Ada").score == grade(judge, "Bob").score == 100
    forget(course)
    assert grade(judge, "Eve", wrong) == alone
    kinds = [who for who, _ in calls(course, "numbers")]
    assert kinds[0] == "plain"
    assert kinds[-1] == "hypothesis"


def test_nothing_is_learnt_from_a_failed_run(course: Path, judge: JudgeProcess) -> None:
    assert grade(judge, "Eve", "return 2 * n + (n > 5000)").checks[0].outcome is Outcome.FAILED
    forget(course)
    assert grade(judge, "Ada").score == 100
    assert [who for who, _ in calls(course, "numbers")] == ["hypothesis"] * 6
