"""Judges a network by its layers: their shapes, what reaches them, and where a ReLU stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from grader.checks import expect
from grader.inside import says

Weights = Mapping[str, torch.Tensor]
LEVELS = (-1.0, -2.0, 1.0, 2.0)  # what a layer gives that `judge_relu` asks about, one after the other


def judge_shapes(got: Any, what: str, shapes: Mapping[str, Sequence[int]]) -> None:
    """Of a network, by `kit.shapes_of`: each layer is there, and its weight has that shape."""
    for name, shape in shapes.items():
        expect.there(expect.field(got, name), what, name, expect.field(got, "layers"))
        expect.equal(expect.field(got, name), list(shape), f"the shape of {name}'s weight")


def judge_reached(got: Any, what: str, layers: Iterable[str]) -> None:
    """Gradients of what a network gives, by `kit.gradients_of`, reach these layers."""
    given = got if type(got) is dict else {}
    expect.true("returned" not in given, f"{what}: missing in what forward returns", got=given.get("returned"))
    cut = given.get("cut") is True
    expect.true(not cut, f"{what} is cut off from the graph: take detach() or torch.no_grad() out of forward")
    for layer in layers:
        size = expect.field(got, layer)
        reached = type(size) is float and size > 0
        expect.true(reached, f"no gradient reaches {layer} from {what}: is something cut off from the graph?")


def deaf(weights: Weights, layer: str, level: float | torch.Tensor) -> dict[str, torch.Tensor]:
    """Return weights with which a layer gives `level`, whatever reaches it."""
    names = f"{layer}.weight", f"{layer}.bias"
    level = torch.as_tensor(level, dtype=torch.float32)
    own = {names[0]: torch.zeros_like(weights[names[0]]), names[1]: level.expand(weights[names[1]].shape).clone()}
    return {**weights, **own}


def judge_relu(answers: Sequence[torch.Tensor], layer: str, following: str, atol: float = 1e-5) -> None:
    """A ReLU stands after a layer: `answers` are the network's where that is `deaf`, to each of `LEVELS`."""
    below, further, above, higher = answers
    same = expect.same_values(below, further, atol=atol)
    leak = says(f"negative outputs of {layer} reach {following}")
    expect.true(same, f"{leak}: a ReLU is missing between them, or it is a leaky one")
    far = 10 * atol
    reach = not expect.same_values(above, higher, atol=far) and not expect.same_values(below, above, atol=far)
    expect.true(reach, f"positive outputs of {layer} do not reach {following}: is {layer} used in forward?")


def judge_last(logits: torch.Tensor, bias: torch.Tensor, layer: str) -> None:
    """Where nothing else reaches the last layer, its bias orders the N×classes logits.

    It does so whatever is done to them afterwards: that has a check of its own. A bias that was drawn for this run
    shows that the network was asked.
    """
    bias = bias.expand(logits.shape)
    ordered = torch.equal(logits.argsort(1), bias.argsort(1))
    cut = expect.same_values(logits, bias.clamp(min=0), atol=1e-5)
    expect.true(ordered or cut, f"the logits do not follow the bias of {layer} where nothing else reaches them")


def judge_varied(outputs: torch.Tensor, what: str) -> None:
    """The outputs for N different inputs are not all zeros, and not all the same."""
    because = says("does forward compute them, or is it that a ReLU comes after the last layer?")
    expect.true(bool(outputs.any()), f"{what}: all zeros, whatever the input", because=because)
    differ = len(outputs) == 1 or bool((outputs != outputs[0]).any())
    expect.true(differ, f"{what}: the same for all inputs, so that what comes before does not reach them")


def judge_cut(outputs: torch.Tensor, what: str, after: str) -> None:
    """The outputs come after a ReLU, that of the part that is named."""
    negative = bool((outputs < 0).any())
    expect.true(not negative, f"{what}: negative values, though it comes after {after}'s ReLU: is one missing there?")


def judge_alone(
    alone: torch.Tensor,
    among: torch.Tensor,
    what: str,
    atol: float = 1e-3,
    even: Callable[[], torch.Tensor] | None = None,
) -> None:
    """What a network gives for an input is the same alone, and beside the others of a batch.

    `even` gives its N answers where all inputs are alike before they are flattened, as by `deaf`: mixing them changes
    nothing then, so that they tell which of two mistakes it is. They are asked for only where there is one.
    """
    same = expect.same_values(alone, among, rtol=1e-3, atol=atol)
    mixed = says("flattening mixes the images of a batch or forward takes a mean over it")
    dropped = says("dropout stays on in evaluation mode")
    because = None if same else says(f"{mixed}, or {dropped}")
    if even is not None and not same:
        answers = even()
        because = mixed if expect.same_values(answers, answers[:1].expand(answers.shape), atol=atol) else dropped
    expect.true(same, f"{what}: not the same alone as beside other images", because=because)


def logits_of(got: Any, classes: int, count: int | None = None) -> torch.Tensor:
    """Return the N×classes logits that a network gives, alone or before something else, which has checks of its own.

    Where `count` is known N has to be it.
    """
    logits = got if type(got) is torch.Tensor else [*expect.items(got, None, "what forward returns"), None][0]
    return expect.tensor(logits, "logits", shape=(count, classes), dtype=torch.float32)
