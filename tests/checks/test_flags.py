"""What a loop does to `requires_grad` is told by what it has done: what was frozen is not, or the other way round."""

from __future__ import annotations

from typing import Any

import pytest

from grader.checks import loops
from grader.checks.expect import CheckFailed

BEFORE = {"first.weight": False, "first.bias": False, "last.weight": True}


def message(found: Any) -> str:
    with pytest.raises(CheckFailed) as failure:
        loops.judge_flags(found, BEFORE)
    return f"{failure.value.summary}; {failure.value.because}"


def test_flags_that_are_left_alone_pass() -> None:
    loops.judge_flags(dict(BEFORE), BEFORE)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (dict.fromkeys(BEFORE, True), "frozen before the call, and trainable afterwards: first.weight, first.bias"),
        (dict.fromkeys(BEFORE, False), "trainable before the call, and frozen afterwards: last.weight"),
    ],
)
def test_what_was_frozen_and_is_not_is_named_and_so_is_what_was_not_and_is(found: Any, said: str) -> None:
    assert message(found) == f"requires_grad of the model's parameters afterwards: wrong value; {said}; " \
                             "leave requires_grad as it is"  # fmt: skip


@pytest.mark.parametrize("found", [None, {}, {**BEFORE, "more": True}, {**BEFORE, "last.weight": "yes"}, [False, True]])
def test_other_evidence_fails_too(found: Any) -> None:
    assert "leave requires_grad" not in message(found)
