from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.describe import LONGEST, brief, clip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (12, "12"),
        (1 / 3, "0.3333333"),
        ("a\nb", r"'a\nb'"),
        (b"\0", r"b'\x00'"),
        ((1,), "(1,)"),
        ((), "()"),
        ([1, (2, "x")], "[1, (2, 'x')]"),
        ({"k": [1.0], 2: None}, "{'k': [1], 2: None}"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …]"),
        (torch.tensor([[1.0, 2.5]]), "tensor 1×2 float32 [[1, 2.5]]"),
        (torch.zeros(1, 1, 2, 2), "tensor 1×1×2×2 float32"),
        (torch.tensor(3), "tensor scalar int64 3"),
        (torch.zeros(4, 1, 28, 28), "tensor 4×1×28×28 float32"),
        (torch.zeros(0, 3, dtype=torch.bool), "tensor 0×3 bool"),
        (np.array([True]), "array 1 bool [True]"),
        (np.float32(2), "a float32"),
        (object(), "a object"),
        (2**600, "a huge int"),
    ],
)
def test_each_kind_of_value_is_described_in_brief(value: Any, text: str) -> None:
    assert brief(value) == text


def test_of_several_values_only_small_arrays_are_shown_in_full() -> None:
    assert (
        brief({"a": torch.ones(3), "b": torch.ones(2)}, few=2)
        == "{'a': tensor 3 float32, 'b': tensor 2 float32 [1, 1]}"
    )


def test_deep_nesting_is_cut() -> None:
    assert brief([[[[1]]]]) == "[[[a list]]]"


def test_a_value_that_contains_itself_ends() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert brief(loop) == "[[[a list]]]"


@pytest.mark.parametrize("value", ["x" * 10**6, ["y" * 1000] * 50, {"k" * 500: "v" * 500}, list(range(10**6))])
def test_what_is_long_is_cut_to_one_line(value: Any) -> None:
    text = brief(value)
    assert len(text) <= LONGEST
    assert "\n" not in text


def test_a_class_with_a_loud_repr_is_named_and_not_asked() -> None:
    class Loud(str):
        def __repr__(self) -> str:
            raise RuntimeError("asked")

    assert brief(Loud("x")) == "a Loud"


@given(st.text(), st.integers(1, 50))
def test_clip_gives_one_line_within_the_limit(text: str, longest: int) -> None:
    cut = clip(text, longest)
    assert len(cut) <= longest
    assert len(cut.splitlines()) <= 1


def test_clip_leaves_what_fits() -> None:
    assert clip("two  words\n", 9) == "two words"
    assert clip("two words", 8) == "two wor…"
