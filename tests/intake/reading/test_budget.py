"""A request that takes too much, or ends its process, is refused by one line; the next one is answered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grader.errors import GraderError, SubmissionError
from grader.intake.reading.budget import Budget, BudgetedProcess

ADVICE = "hand in the week's own files alone"


@pytest.fixture(scope="module")
def process() -> Iterator[BudgetedProcess]:
    process = BudgetedProcess("tests.intake.reading.odd", Budget(seconds=1, clock=30, mib=512))
    yield process
    process.close()


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("spin", f"reading hw.zip took more than 1 s of computing; {ADVICE}"),
        ("hoard", f"reading hw.zip took more than 512 MiB of memory; {ADVICE}"),
        ("recurse", "hw.zip is nested too deeply to be read"),
        ("refuse", "it cannot be read"),
        ("crash", "reading hw.zip ended the process that reads submissions (SIGSEGV)"),
        ("flood", f"reading hw.zip gave more than can be; {ADVICE}"),
        ("talk", f"reading hw.zip gave more than can be; {ADVICE}"),
    ],
)
def test_what_takes_too_much_is_refused_and_the_next_is_answered(
    process: BudgetedProcess, what: str, says: str
) -> None:
    with pytest.raises(SubmissionError) as refused:
        process.ask({"do": what}, "hw.zip")
    assert str(refused.value) == says
    assert process.ask({"do": "echo", "parts": [1, "two", b"three", None]}, "hw.zip") == [1, "two", b"three", None]


def test_what_waits_for_ever_is_refused_by_the_clock() -> None:
    process = BudgetedProcess("tests.intake.reading.odd", Budget(clock=1))
    with pytest.raises(SubmissionError, match=f"reading hw.zip took more than 1 s; {ADVICE}"):
        process.ask({"do": "sleep"}, "hw.zip")
    process.close()


def test_a_mistake_of_the_graders_own_is_named_without_a_word_of_the_students(process: BudgetedProcess) -> None:
    with pytest.raises(SubmissionError, match=r"by a mistake of its own \(KeyError in odd.py:\d+\)$"):
        process.ask({"do": "fail", "text_of_a_student": "Traceback"}, "hw.zip")


def test_a_process_that_is_killed_by_chance_costs_nobody_anything(process: BudgetedProcess, tmp_path: Path) -> None:
    assert process.ask({"do": "crash_once", "mark": str(tmp_path / "mark")}, "hw.zip") == ["read"]


def test_one_process_serves_many_and_a_refusal_does_not_end_it(process: BudgetedProcess) -> None:
    first = process.ask({"do": "pid"}, "hw.zip")
    with pytest.raises(SubmissionError):
        process.ask({"do": "refuse"}, "hw.zip")
    assert process.ask({"do": "pid"}, "hw.zip") == first != [os.getpid()]


def test_the_budget_is_each_requests_own(process: BudgetedProcess) -> None:
    """Time that others took does not count."""
    with pytest.raises(SubmissionError, match="1 s of computing"):
        process.ask({"do": "spin"}, "hw.zip")
    for _ in range(2):
        assert process.ask({"do": "echo", "parts": []}, "hw.zip") == []


def test_text_that_cannot_be_encoded_passes(process: BudgetedProcess) -> None:
    assert process.ask({"do": "echo", "parts": ["\ud800", os.fsdecode(b"\xff")]}, "hw.zip") == ["\ud800", "\udcff"]


@pytest.mark.usefixtures("cold_start")
def test_a_process_that_cannot_start_is_an_error_of_the_machinery() -> None:
    with pytest.raises(GraderError, match=r"cannot be started \(ModuleNotFoundError: .*no_such") as error:
        BudgetedProcess("tests.no_such").ask({}, "hw.zip")
    assert not isinstance(error.value, SubmissionError)


@pytest.mark.usefixtures("cold_start")
def test_a_module_in_the_working_folder_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit")
    (tmp_path / "msgpack.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    process = BudgetedProcess("tests.intake.reading.odd")
    assert process.ask({"do": "echo", "parts": [1]}, "hw.zip") == [1]
    process.close()


def test_it_ends_when_it_is_closed(process: BudgetedProcess) -> None:
    (pid,) = process.ask({"do": "pid"}, "hw.zip")
    process.close()
    assert not psutil.pid_exists(pid)
    assert process.ask({"do": "pid"}, "hw.zip") != [pid]
