"""Judges the modes of a model and of gradients, during a loop and after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from grader.checks import expect
from grader.inside import says


def judge_training_mode(got: Any) -> None:
    """The model was in training mode, and the gradient mode and the two `requires_grad` are as before."""
    modes = expect.items(expect.field(got, "modes"), None, "the modes seen")
    training = bool(modes) and all(mode is True for mode in modes)
    expect.true(training, "the model was not in training mode: call model.train() first")
    judge_gradient_mode(got)
    flags = expect.items(expect.field(got, "requires_grad"), 2, "requires_grad of the model's parameters afterwards")
    judge_flags(dict(zip(("weight", "bias"), flags, strict=True)), {"weight": True, "bias": True})


def judge_evaluation_mode(got: Any) -> None:
    """The model was in evaluation mode; else the values that it gave are wrong, and nobody sees why."""
    modes = expect.items(expect.field(got, "modes"), None, "the modes seen")
    trained = any(mode is True for mode in modes)
    expect.true(not trained, "the model was in training mode: call model.eval() first")


def judge_gradient_mode(got: Any) -> None:
    """The gradient mode is as before, after a call while gradients were recorded and after one while they were not.

    A probe that has made the first call alone, as `kit.trained` does without `again`, is judged by that one.
    """
    found = expect.items(expect.field(got, "grad_enabled"), None, "the gradient mode afterwards")
    recording, *rest = expect.items(found, 1 if len(found) == 1 else 2, "the gradient mode afterwards")
    changed = says("the caller's gradient mode was changed")
    off, on = (
        says("gradients stay switched off after the call"),
        says("gradients are switched on after a call before which they were off"),
    )
    expect.true(recording is True, f"{changed}: {off}: use `with torch.no_grad():`",
                expected="on, as before the call")  # fmt: skip
    expect.true(all(one is False for one in rest), f"{changed}: {on}",
                expected="off, as before the call")  # fmt: skip


def judge_untouched(got: Any, weight: torch.Tensor, mean: torch.Tensor, var: torch.Tensor, during: str) -> None:
    """An evaluation loop of a model with batch normalisation was one, and has left no trace."""
    modes = expect.items(expect.field(got, "modes"), None, "the modes seen")
    evaluating = bool(modes) and all(mode is False for mode in modes)
    expect.true(evaluating, f"the model was in training mode during {during}: call model.eval() first")
    recording = expect.items(expect.field(got, "grad_modes"), None, "the gradient modes seen")
    without = len(recording) == len(modes) and all(mode is False for mode in recording)
    expect.true(without, f"gradients were recorded during {during}: use torch.no_grad()")
    expect.close(expect.field(got, "weight"), weight, "the weights afterwards")
    expect.close(expect.field(got, "running_mean"), mean, "batch normalisation's running mean afterwards")
    expect.close(expect.field(got, "running_var"), var, "batch normalisation's running variance afterwards")
    kept = expect.field(got, "bias_grad")
    expect.true(kept is not None, "a gradient that was there before the call is gone: zero_grad has no place here")
    expect.close(kept, torch.full((3,), 3.0), "a gradient that was there before the call")
    judge_gradient_mode(got)
    flags = {"layer.weight": True, "layer.bias": True, "norm.weight": True, "norm.bias": False}
    judge_flags(expect.field(got, "requires_grad"), flags)


def judge_flags(found: Any, wanted: Mapping[str, bool]) -> None:
    """Each parameter, by its name, requires gradients where it did so before the call, and nowhere else."""
    known = found if type(found) is dict else {}
    freed = [name for name, flag in wanted.items() if known.get(name) is True and not flag]
    frozen = [name for name, flag in wanted.items() if known.get(name) is False and flag]
    before, after = (says("frozen"), says("trainable")) if freed else (says("trainable"), says("frozen"))
    names = ", ".join(freed or frozen)
    told = says(f"{before} before the call, and {after} afterwards: {names}; leave requires_grad as it is")
    what = "requires_grad of the model's parameters afterwards"
    expect.equal(found, dict(wanted), what, because=told if names else None)
