"""A student reads of a hidden check no more than its points, title, hint and a reason from a short list."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grader.results import CheckResult, Measure, Outcome, Reason, Report
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
    plain = {"seconds": 0.0, "measures": (), "exhibits": (), "stand_ins": (), "output": "", "wrong_form": False}
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
