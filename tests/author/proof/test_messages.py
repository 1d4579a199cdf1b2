"""The message that the author of a mistake reads is examined: its cause, the function's name, no word of the kit's."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.author.proof import messages
from grader.author.proof.mutants import Mutant, load_mutants
from grader.course import Course
from grader.results import CheckResult, Outcome, Report

ROOT = Path(__file__).parents[3]
MUTANT = Mutant("rounds-up", "lenet.py", "a", "b", ("5.1",), "Rounds up.", says="rounded up")
FUNCTIONS = {"5.1": frozenset({"conv_output_size"})}


def result(message: str, hidden: bool = False, task: str = "5.1", outcome: Outcome = Outcome.FAILED) -> CheckResult:
    return CheckResult(f"test_{hidden}::a", task, "Title", hidden, 0, 1, outcome, message)


def report(*checks: CheckResult) -> Report:
    return Report("rounds-up", "week5", 0, "", "", "", checks)


def test_a_message_that_tells_the_mistake_has_no_fault() -> None:
    good = result("conv_output_size: wrong value; it is Rounded up\n  called as    conv_output_size(3)")
    assert list(messages.faults_of(MUTANT, report(good), FUNCTIONS)) == []


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("conv_output_size: wrong value\n  because      it is rounded up", "does not say 'rounded up'"),
        ("the size: rounded up", "names none of conv_output_size"),
        ("conv_output_size_2: rounded up", "names none of conv_output_size"),
        ("conv_output_size: rounded up in the evidence", "word 'evidence'"),
        ("conv_output_size: rounded up\n  called with  a stand-in", "word 'stand-in'"),
        ("conv_output_size: rounded up by probes", "word 'probes'"),
    ],
)
def test_what_is_wrong_with_a_message_is_said(message: str, fault: str) -> None:
    (found,) = messages.faults_of(MUTANT, report(result(message)), FUNCTIONS)
    assert fault in found


def test_the_first_public_check_of_the_mutants_tasks_is_read() -> None:
    hidden, public = result("hidden", hidden=True), result("public")
    other, waiting = result("another task's", task="5.2"), result("waiting", outcome=Outcome.SKIPPED)
    passed = result("", outcome=Outcome.PASSED)
    assert messages.told(report(hidden, other, waiting, passed, public), MUTANT) is public
    assert messages.told(report(hidden, other), MUTANT) is hidden
    assert messages.told(report(other, passed), MUTANT) is None
    assert list(messages.faults_of(MUTANT, report(other), FUNCTIONS)) == []


@pytest.mark.parametrize("week", list(Course(ROOT).assignments()))
def test_each_mistake_of_a_week_has_a_phrase_and_each_task_a_function(week: str) -> None:
    assignment = Course(ROOT).assignment(week)
    mutants = load_mutants(ROOT, week)
    assert [mutant.id for mutant in mutants if not mutant.says.strip()] == []
    functions = messages.functions_of(assignment)
    wholes = {"week4": {"4.11"}, "week5": {"5.12"}, "week6": {"6.17"}, "week7": {"7.14"}}[week]
    assert {task for mutant in mutants for task in mutant.tasks} - set(functions) == wholes
