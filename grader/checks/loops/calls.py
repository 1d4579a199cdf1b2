"""Judges how a loop can be called, on which device it works, and that it asked the model about the data of its run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from grader.checks import expect
from grader.inside import says


def judge_parameters(got: Any, names: Sequence[str], what: str) -> None:
    """A function can be called with the lesson's names; others beside them are its own business."""
    found = expect.field(got, "parameters")
    if found is None:
        return  # it takes any name
    given = [name for name in expect.items(found, None, f"the parameters of {what}") if type(name) is str]
    missing = [name for name in names if name not in given]
    if missing:
        summary = says(f"{what} has no parameter {missing[0]!r}: keep the lesson's names")
        expect.fail(summary, expected=", ".join(names), got=", ".join(given))


def judge_devices(got: Any, what: str, labelled: bool = True) -> None:
    """The model's inputs were on the device that a function was given, and labels, if any, where the logits were."""
    device = expect.field(got, "device")
    inputs = expect.items(expect.field(got, "inputs"), None, "where the model's inputs were")
    expect.true(bool(inputs), f"{what} asks the model nothing")
    for place in inputs:
        expect.true(expect.same(place, device), f"{what} leaves images where they are: move each batch to `device`",
                    expected=device, got=place)  # fmt: skip
    pairs = expect.items(expect.field(got, "labels"), None, "where the labels were")
    expect.true(
        bool(pairs) or not labelled, f"the criterion that is given is not used: {what} takes its loss from another one"
    )
    for pair in pairs:
        logits, labels = expect.items(pair, 2, "where logits and labels were")
        expect.true(expect.same(labels, logits), f"{what} leaves labels where they are: move them to `device`, too",
                    expected=logits, got=labels)  # fmt: skip


def judge_elsewhere(
    got: Any, what: str, names: Sequence[str], x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor,
    labelled: bool = True,
) -> None:  # fmt: skip
    """By `kit.located`, a function takes the lesson's parameters, and moves batches, `labelled` or not, to the device.

    The model was asked about the data of this run.
    """
    judge_parameters(got, names, what)
    judge_devices(got, what, labelled)
    judge_first(got, x, weight, bias, what)


def judge_returned(got: Any, names: Sequence[str]) -> None:
    """What a function returned, by `kit.located` with `results`, is back on the CPU."""
    places = expect.items(expect.field(got, "results"), len(names), "the results")
    for place, name in zip(places, names, strict=True):
        left = says(f"{name} are left on the device: move what is returned to the CPU, by .cpu()")
        expect.true(expect.same(place, "cpu"), left, expected="cpu", got=place)


def judge_first(got: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, what: str) -> None:
    """A linear model has answered the beginning of the data that were drawn for this run, as a new one does."""
    judge_answered(got, x @ weight.T + bias, what)


def judge_answered(got: Any, logits: torch.Tensor, what: str) -> None:
    """The model's first answer is the beginning of these logits.

    So what the evidence says of its calls was seen in a run, and is known neither from another one nor from arguments.
    Rows beyond them are a program's own business: it may fill up a batch.
    """
    name = says(f"the model's first answer in {what}")
    first = expect.tensor(expect.field(got, "first"), name, shape=(None, logits.shape[1]))
    count = max(1, min(len(first), len(logits)))
    expect.close(first[:count], logits[:count], name, atol=1e-3)
