"""A student reads of a hidden check no more than its points, title, hint and a reason from a short list."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grader.results import CheckResult, Measure, Outcome, Reason, Report, told_once
from grader.results.exhibits import Curve

TEXT, ONE = st.text(max_size=20), st.just(1)
FIXED = {"id": "test_hidden.py::test_pool", "task": "5.2", "title": "Pooling", "max_points": 3, "hint": "Look."}
CHOSEN: dict[str, st.SearchStrategy[Any]] = {  # all that a submission has a hand in
    "outcome": st.sampled_from(Outcome),
    "message": TEXT,
    "seconds": st.floats(0, 60),
    "measures": st.tuples(st.builds(Measure, TEXT, st.floats(), st.floats(), st.booleans())),
    "exhibits": st.tuples(st.builds(Curve, TEXT, st.tuples(st.floats(0, 1)), st.just((0.0,)), st.just((1.0,)), ONE)),
    "stand_ins": st.tuples(TEXT),
    "output": TEXT,
    "wrong_form": st.booleans(),
    "place": TEXT,
    "cause": TEXT,
}  # fmt: skip


def hidden(**chosen: Any) -> CheckResult:
    points = 3 if chosen["outcome"] is Outcome.PASSED else 0
    return CheckResult(hidden=True, points=points, **FIXED, **chosen)


def shown(check: CheckResult) -> CheckResult:
    report = Report("Ada", "week5", 0, "1", "s", "a", (check,))
    return report.for_student().checks[0]


def test_every_part_of_a_result_is_either_fixed_or_chosen() -> None:
    assert {field.name for field in fields(CheckResult)} == {*FIXED, *CHOSEN, "hidden", "points"}


@given(st.fixed_dictionaries(CHOSEN))
def test_whatever_a_hidden_check_met_its_student_reads_one_of_few_things(chosen: dict[str, Any]) -> None:
    seen = shown(hidden(**chosen))
    ways = {"", "the check itself crashed", *Reason}
    plain = {"seconds": 0.0, "measures": (), "exhibits": (), "stand_ins": (), "output": "", "wrong_form": False,
             "place": "", "cause": ""}  # fmt: skip
    assert all(getattr(seen, name) == value for name, value in (FIXED | plain).items())
    assert seen.message in ways
    # The outcome says no more than the reason does.
    outcomes = {
        "": {Outcome.PASSED},
        "the check itself crashed": {Outcome.BROKEN},
        Reason.VALUE: {Outcome.FAILED},
        Reason.FORM: {Outcome.FAILED},
        Reason.ERROR: {Outcome.ERROR},
        Reason.LIMIT: {Outcome.TIMEOUT},
        Reason.NOT_RUN: {Outcome.SKIPPED},
    }
    assert seen.outcome in outcomes[seen.message]


@given(st.fixed_dictionaries(CHOSEN))
def test_the_teachers_report_keeps_all(chosen: dict[str, Any]) -> None:
    report = Report("Ada", "week5", 0, "1", "s", "a", (hidden(**chosen),))
    assert repr(Report.from_dict(report.to_dict())) == repr(report)  # by text, as NaN is not equal to itself


def test_a_public_check_is_shown_whole() -> None:
    check = CheckResult(
        hidden=False, points=0, **FIXED, outcome=Outcome.KILLED, message="killed by SIGSEGV", output="x"
    )
    assert shown(check) == check


def ended(task: str, cause: str, title: str = "a title") -> CheckResult:
    message = f"your code raised SyntaxError: never closed (training.py:61), in f{task}()"
    return CheckResult(f"t::{task}{title}", task, title, False, 0, 2, Outcome.ERROR, message, "hint", cause=cause)


def test_one_cause_is_told_once_with_what_else_it_ends() -> None:
    cause, other = "SyntaxError at training.py:61", "IndexError at lenet.py:3"
    checks = [
        ended("5.4", cause),
        ended("5.5", cause),
        ended("5.3", other),
        ended("5.5", cause, "b"),
        ended("5.8", cause),
    ]
    first, second, alone, third, fourth = told_once(checks)
    assert first.message == checks[0].message + "\n  also ends    3 more checks, of tasks 5.5, 5.8"
    assert alone == checks[2]
    assert told_once((first, second, alone, third, fourth)) == (first, second, alone, third, fourth)
    for check in (second, third, fourth):
        assert check.message == f"the same as in task 5.4, a title: {cause}"
        assert check.hint == ""
        assert (check.points, check.outcome) == (0, Outcome.ERROR)


def test_checks_without_a_cause_are_told_by_themselves() -> None:
    checks = [ended("5.1", ""), ended("5.2", "")]
    assert told_once(checks) == tuple(checks)


def test_a_hidden_check_says_nothing_of_its_cause() -> None:
    public, secret = (
        ended("5.1", "KeyError at lenet.py:3"),
        replace(ended("5.2", "KeyError at lenet.py:3"), hidden=True),
    )
    report = Report("Ada", "week5", 0, "1", "s", "a", (public, secret)).for_student()
    assert report.checks[0].message == public.message
    assert report.checks[1].message == Reason.ERROR
