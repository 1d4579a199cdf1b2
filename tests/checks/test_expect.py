from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from grader.checks import expect
from grader.checks.expect import CheckFailed
from grader.inside import codec

ODD: list[Any] = [
    None, True, 3, 2.5, math.nan, math.inf, "text", b"bytes", [], (), {}, [None], ({},), {"raised": 3}, {1: 2},
    10**18, -1, torch.zeros(0), torch.tensor(math.nan), torch.zeros(2, dtype=torch.int64), torch.zeros(2, 2),
    torch.zeros(3, dtype=torch.bool), np.zeros(2), np.zeros(()), "x" * 10_000, [[[[[[1]]]]]],
]  # fmt: skip

JUDGES: dict[str, Callable[[Any], Any]] = {
    "true": lambda got: expect.true(got, "w"),
    "instance": lambda got: expect.instance(got, (set, frozenset), "w"),
    "integer": lambda got: expect.integer(got, 4, "w"),
    "equal": lambda got: expect.equal(got, ["other"], "w"),
    "items": lambda got: expect.items(got, 7, "w"),
    "number": lambda got: expect.near(got, 123.0, "w"),
    "tensor": lambda got: expect.tensor(got, "w", shape=(9, None)),
    "close": lambda got: expect.close(got, torch.full((2,), 5.0), "w", context={"of something": torch.zeros(2)}),
    "close to an array": lambda got: expect.close(got, np.full((2, 2), 5.0), "w"),
    "raises": lambda got: expect.raises(got, ["ValueError"], "w"),
    "field": lambda got: expect.field(got, "absent"),
    "each": lambda got: expect.each([got], lambda one: expect.integer(one, 4, "w"), "w"),
}


@pytest.mark.parametrize(
    ("name", "got"), [(name, got) for name in JUDGES for got in ODD if not (name == "true" and got is True)]
)
def test_odd_evidence_is_wrong_and_crashes_nothing(name: str, got: Any) -> None:
    with pytest.raises(CheckFailed) as caught:
        JUDGES[name](got)
    assert caught.value.summary
    assert all(len(text or "") < 700 for text in (caught.value.expected, caught.value.got, caught.value.where))


def failure(judge: Callable[[], Any]) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        judge()
    return caught.value


def test_right_evidence_passes_and_is_handed_back() -> None:
    expect.true(True, "w")
    expect.instance(3, int, "w")
    expect.integer(3, 3, "w")
    expect.equal({"a": (1, [2.0])}, {"a": (1, [2.0])}, "w")
    assert expect.items((1, 2), 2, "w") == (1, 2)
    assert expect.items([], None, "w") == []
    assert expect.number(3, "w") == 3.0
    expect.near(1.00009, 1.0, "w")
    tensor = torch.ones(2, 3)
    assert expect.tensor(tensor, "w", shape=(None, 3), dtype=torch.float32) is tensor
    expect.close(tensor, np.ones((2, 3)), "w")
    assert expect.raises({"raised": "ValueError", "message": "m"}, ["TypeError", "ValueError"], "w") == "m"
    assert expect.field({"k": None}, "k") is None
    expect.each([1, 1], lambda one: expect.integer(one, 1, "w"), "w")


@pytest.mark.parametrize("got", [True, 1.0, "1", np.int64(1), torch.tensor(1)])
def test_only_an_int_passes_as_an_integer(got: Any) -> None:
    assert failure(lambda: expect.integer(got, 1, "size")).summary == "size: wrong type"


def test_of_a_number_that_comes_of_a_division_it_is_said_how_it_becomes_whole() -> None:
    cut = failure(lambda: expect.integer(10.5, 10, "size", divided=True))
    assert (cut.summary, cut.form) == ("size: wrong type", True)
    assert cut.because == "it is a float, 10.5: // divides into whole numbers, and int() cuts"
    for got, divided in ((10.5, False), (11.5, True), (float("nan"), True)):
        assert (
            failure(lambda got=got, divided=divided: expect.integer(got, 10, "size", divided=divided)).because is None
        )


@pytest.mark.parametrize("got", [True, np.float64(1.0), torch.tensor(1.0), "1.0"])
def test_only_a_plain_number_passes_as_a_number(got: Any) -> None:
    assert failure(lambda: expect.number(got, "loss")).summary == "loss: wrong type"


@pytest.mark.parametrize("array", [torch.zeros(2), torch.zeros(0), np.zeros(2), np.zeros(0)])
def test_equal_finds_an_array_where_a_plain_value_should_be(array: Any) -> None:
    for got, want in (([True, array], [True, True]), ({"a": [array]}, {"a": [1]}), ((1, (array,)), (1, (1,)))):
        with pytest.raises(CheckFailed, match="x: wrong value"):
            expect.equal(got, want, "x")


def test_equal_tells_types_apart() -> None:
    assert failure(lambda: expect.equal([1], (1,), "pair")).summary == "pair: wrong type"
    assert failure(lambda: expect.equal(True, 1, "flag")).summary == "flag: wrong type"
    assert failure(lambda: expect.equal("a", "b", "name")).summary == "name: wrong value"


@pytest.mark.parametrize(("got", "passes"), [(1.0 + 1.09e-4, True), (1.0 + 1.2e-4, False), (1.0 - 1.2e-4, False)])
def test_near_and_close_have_the_same_tolerance(got: float, passes: bool) -> None:
    for judge in (
        lambda: expect.near(got, 1.0, "loss"),
        lambda: expect.close(torch.tensor([got], dtype=torch.float64), torch.tensor([1.0]), "loss"),
    ):
        if passes:
            judge()
        else:
            assert "wrong value" in failure(judge).summary


def test_close_says_where_how_many_and_by_how_much() -> None:
    want = torch.zeros(2, 3)
    got = want.clone()
    got[1, 0], got[1, 2] = 0.5, -3.0
    error = failure(lambda: expect.close(got, want, "logits"))
    assert error.summary == "logits: wrong values"
    assert error.where == "first at index [1, 0]: expected 0, got 0.5; 2 of 6 differ, by up to 3"
    assert error.expected == "tensor 2×3 float32 [[0, 0, 0], [0, 0, 0]]"


def test_close_takes_integers_and_bools_and_compares_dtypes_only_when_asked() -> None:
    expect.close(torch.tensor([1, 2]), torch.tensor([1.0, 2.0]), "labels")
    assert failure(lambda: expect.close(torch.tensor([1]), torch.tensor([1.0]), "labels", dtype=True)).summary == (
        "labels: wrong dtype"
    )
    flipped = failure(lambda: expect.close(torch.tensor([True]), torch.tensor([False]), "mask"))
    assert flipped.summary == "mask: wrong values"


def test_close_takes_arrays_without_axes_and_without_entries() -> None:
    expect.close(torch.zeros(0, 3), torch.zeros(0, 3), "nothing")
    assert failure(lambda: expect.close(torch.tensor(2.0), torch.tensor(1.0), "loss")).where is not None


def test_close_does_not_broadcast() -> None:
    error = failure(lambda: expect.close(torch.ones(3, 1), torch.ones(3), "logits"))
    assert (error.summary, error.expected, error.got) == ("logits: wrong shape", "shape (3,)", "shape (3, 1)")
    assert error.because == "an axis of size 1 is missing or too many"


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_tensor_that_is_not_finite_is_wrong_even_where_that_is_expected(odd: float) -> None:
    value = torch.tensor([0.0, odd])
    error = failure(lambda: expect.close(value, value, "loss"))
    assert error.summary == "loss: contains NaN or infinity"
    assert error.got == f"{odd} at index [1]"


WIDEST = """
import resource, torch
from grader.checks import expect
from grader.inside.codec import MOST_NUMBERS
wrong = torch.zeros([1] * 7 + [MOST_NUMBERS], dtype=torch.float16)
wrong[..., -1] = float("nan")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for judge in (lambda: expect.finite(wrong, "x"), lambda: expect.tensor(wrong, "x", shape=wrong.shape)):
    try:
        judge()
    except expect.CheckFailed as error:
        print(error.got)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


def test_the_widest_evidence_costs_the_judge_little_memory() -> None:
    """In MiB: a few copies of what came, and nothing for each axis of each number."""
    done = subprocess.run([sys.executable, "-c", WIDEST], capture_output=True, text=True, check=True)
    first, second, grown = done.stdout.splitlines()
    assert first == second == f"nan at index [0, 0, 0, 0, 0, 0, 0, {codec.MOST_NUMBERS - 1}]"
    assert int(grown) < 400


@pytest.mark.parametrize("shape", [None, (None,)])
def test_a_tensor_of_open_size_may_not_be_huge(shape: tuple[None] | None) -> None:
    expect.tensor(torch.zeros(expect.MOST, dtype=torch.bool), "x", shape=shape)
    with pytest.raises(CheckFailed, match="far too many numbers"):
        expect.tensor(torch.zeros(expect.MOST + 1, dtype=torch.bool), "x", shape=shape)


def test_shapes_are_shown_with_any() -> None:
    error = failure(lambda: expect.tensor(torch.ones(2), "images", shape=(None, 3)))
    assert (error.expected, error.got) == ("shape (any, 3)", "shape (2,)")


def test_summaries_hold_no_values() -> None:
    secret = 987654
    errors = [
        failure(lambda: expect.integer(1, secret, "w")),
        failure(lambda: expect.equal([1], [secret], "w")),
        failure(lambda: expect.near(1.0, secret, "w")),
        failure(lambda: expect.items([1], secret, "w")),
        failure(lambda: expect.close(torch.ones(2), torch.full((2,), float(secret)), "w")),
        failure(lambda: expect.tensor(torch.ones(2), "w", shape=(secret,))),
        failure(lambda: expect.raises({"raised": "A"}, [str(secret)], "w")),
        failure(lambda: expect.field({}, str(secret))),
    ]
    assert not [error.summary for error in errors if str(secret) in error.summary]
    assert all(str(secret) in f"{error.expected}" for error in errors)


def test_gradients_that_are_absent_zero_or_no_tensors_are_named() -> None:
    good = {"fc.weight": torch.ones(2), "fc.bias": torch.ones(1)}
    expect.gradients(good, ["fc.weight", "fc.bias"], "the gradient")
    error = failure(lambda: expect.gradients({**good, "fc.bias": None}, list(good), "the gradient"))
    assert (error.summary, error.because) == ("the gradient: missing", "no gradient reaches fc.bias")
    error = failure(lambda: expect.gradients({**good, "fc.bias": torch.zeros(1)}, list(good), "the gradient"))
    assert error.because == "the gradient of fc.bias is zero everywhere"
    for wrong in ({}, None, {**good, "fc.bias": 3.0}, {**good, "fc.bias": torch.tensor([float("nan")])}):
        failure(lambda wrong=wrong: expect.gradients(wrong, list(good), "the gradient"))


def test_a_wrong_type_of_the_right_values_is_said_to_be_right() -> None:
    error = failure(lambda: expect.close(torch.ones(2).double(), torch.ones(2), "y", dtype=True))
    assert error.summary == "y: wrong dtype"
    assert error.because == "the values are right, only their type is not: torch.float64, and not torch.float32"
    error = failure(lambda: expect.close(torch.zeros(2).double(), torch.ones(2), "y", dtype=True))
    assert error.because is None


def test_wrong_values_that_nothing_explains_are_told_what_to_look_at() -> None:
    want = torch.tensor([1.0, 2.0, 4.0])
    options: Any = {"otherwise": "look at the windows"}
    assert (
        failure(lambda: expect.close(torch.tensor([1.0, 7.0, 5.0]), want, "y", **options)).because
        == options["otherwise"]
    )
    assert failure(lambda: expect.close(-want, want, "y", **options)).because == "the sign is flipped"


def test_values_that_read_alike_are_not_shown_side_by_side() -> None:
    want = torch.zeros(1, 2, 1, 1)
    error = failure(lambda: expect.close(want + 1, want, "y"))
    assert (error.expected, error.got) == (None, None)
    assert error.where is not None


@pytest.mark.parametrize(
    ("got", "want", "said"),
    [
        (0.33, 1 / 3, "multiples of 0.01"),
        (48.0, 47.826, "multiples of 1"),
        (0.34, 1 / 3, None),
        (1.0, 0.857, None),
        (1.5, 1.5001, "multiples of 0.1"),
    ],
)
def test_a_rounded_number_is_told_from_a_wrong_one(got: float, want: float, said: str | None) -> None:
    because = failure(lambda: expect.near(got, want, "the loss", rtol=1e-6)).because
    assert because is None if said is None else said in str(because)


def test_a_wrong_number_is_explained_by_what_else_it_is() -> None:
    explained = {"context": {"of the last batch": 0.5}, "sizes": {"batches": 4}}
    error = failure(lambda: expect.near(0.5, 0.9, "the loss", **explained))
    assert error.because == "this is the value of the last batch"
    error = failure(lambda: expect.near(3.6, 0.9, "the loss", **explained))
    assert error.because is not None and "4, the number of batches" in error.because
    assert failure(lambda: expect.near(0.7, 0.9, "the loss", **explained)).because is None


def test_other_arrays_are_made_only_to_explain_a_wrong_one() -> None:
    asked = []

    def slips() -> dict[str, torch.Tensor]:
        asked.append(True)
        return {"before training": torch.zeros(2)}

    expect.close(torch.ones(2), torch.ones(2), "y", context=slips)
    assert asked == []
    error = failure(lambda: expect.close(torch.zeros(2), torch.ones(2), "y", context=slips))
    assert error.because == "these are the values before training"


def test_a_wrong_whole_number_is_explained_by_all_that_give_it() -> None:
    context = {"rounded": 3, "of the other part": 3, "of the whole": 9}
    error = failure(lambda: expect.integer(3, 2, "the length", context=context))
    assert error.because == "this is the value rounded, or of the other part"
    assert failure(lambda: expect.integer(5, 2, "the length", context=context)).because is None


def test_none_and_tensors_are_told_with_what_to_do() -> None:
    assert "is a `return` missing?" in str(failure(lambda: expect.number(None, "the loss")).because)
    assert ".item()" in str(failure(lambda: expect.instance(torch.tensor(1.0), float, "the loss")).because)
    assert failure(lambda: expect.instance("a", float, "the loss")).because is None


def test_a_number_that_is_nearly_right_is_told_from_a_wrong_one() -> None:
    near = failure(lambda: expect.near(2.01, 2.0, "the slope", nearly="a difference quotient?"))
    assert near.because == "it is nearly right, but not exact: a difference quotient?"
    assert failure(lambda: expect.near(2.5, 2.0, "the slope", nearly="a difference quotient?")).because is None


def test_equal_shapes_are_not_shown_as_expected_and_got() -> None:
    large, small = torch.zeros(5, 5), torch.zeros(2)
    error = failure(lambda: expect.close(large, large + 1, "x"))
    assert (error.expected, error.got) == (None, None)
    assert failure(lambda: expect.close(small, small + 1, "x")).expected == "tensor 2 float32 [1, 1]"


def test_a_part_that_is_missing_is_told_with_those_that_are_there() -> None:
    expect.there([1], "LeNet", "fc_1", ["fc_1"])
    error = failure(lambda: expect.there(None, "LeNet", "fc_1", ["conv1", "fc1"]))
    assert error.summary == "LeNet has no fc_1; it has conv1, fc1; did you mean fc1?"
    failure(lambda: expect.there(None, "LeNet", "fc_1", "forged"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int32, torch.uint8, torch.bool, torch.complex64])
def test_values_are_the_same_whatever_their_type_and_never_raise(dtype: torch.dtype) -> None:
    one = torch.ones(2, 3)
    assert expect.same_values(one.to(dtype), one)
    assert expect.same_values(one, one.to(dtype))
    assert not expect.same_values(torch.zeros(2, 3).to(dtype), one)
    assert not expect.same_values(one[:1].to(dtype), one)


def test_values_are_the_same_within_the_tolerance_and_nan_never_is() -> None:
    one = torch.ones(2)
    assert expect.same_values(one + 0.01, one, atol=0.02)
    assert not expect.same_values(one + 0.01, one, atol=0.001)
    assert not expect.same_values(one * torch.nan, one * torch.nan)


@pytest.mark.parametrize("got", [[*range(40), 3], "none"])
def test_what_reads_alike_is_not_shown_side_by_side(got: object) -> None:
    want = [*range(41)] if isinstance(got, list) else "none"
    with pytest.raises(expect.CheckFailed) as failure:
        expect.fail("other items", expected=want, got=got)
    assert (failure.value.expected, failure.value.got) == (None, None)
    with pytest.raises(expect.CheckFailed) as failure:
        expect.fail("other items", expected=1, got=2)
    assert (failure.value.expected, failure.value.got) == ("1", "2")
