"""What a network's layers do shows in its outputs, whichever layer it is that does not do it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from grader.checks import expect, layers, oracles, seeds
from grader.checks.expect import CheckFailed
from grader.inside import codec, kit

SHAPES = {"fc1": (5, 4), "fc2": (3, 5)}
IMAGES = torch.randn(6, 1, 2, 2, generator=seeds.generator(0))
WEIGHTS = oracles.weights(seeds.generator(1), SHAPES)


class Net(nn.Module):
    """Two layers; `middle` stands between them, and `last` after them."""

    def __init__(self, middle: Callable[..., Any] = torch.relu, last: Callable[..., Any] = lambda x: x) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(4, 5), nn.Linear(5, 3)
        self.middle, self.last = middle, last

    def forward(self, images: torch.Tensor) -> Any:
        return self.last(self.fc2(self.middle(self.fc1(images.flatten(1)))))


def message(judge: Callable[..., Any], *args: Any) -> str:
    with pytest.raises(CheckFailed) as failure:
        judge(*args)
    return f"{failure.value.summary} | {failure.value.because or ''}"


def logits(net: Net, weights: Any, images: torch.Tensor = IMAGES) -> torch.Tensor:
    return layers.logits_of(codec.decode(codec.encode(kit.answer_of(net, images, weights))), 3)


def relu(net: Net) -> list[torch.Tensor]:
    return [logits(net, layers.deaf(WEIGHTS, "fc1", level)) for level in layers.LEVELS]


def test_a_relu_is_missed_where_negative_outputs_get_through() -> None:
    layers.judge_relu(relu(Net()), "fc1", "fc2")
    assert "negative outputs of fc1 reach fc2" in message(layers.judge_relu, relu(Net(lambda x: x)), "fc1", "fc2")
    dead = relu(Net(lambda x: x * 0))
    assert "positive outputs of fc1 do not reach fc2" in message(layers.judge_relu, dead, "fc1", "fc2")


def test_the_last_bias_orders_what_comes_out_whatever_is_done_to_it() -> None:
    alone, bias = layers.deaf(WEIGHTS, "fc2", torch.tensor([0.5, -1.0, 2.0])), torch.tensor([0.5, -1.0, 2.0])
    for last in (lambda x: x, lambda x: x.softmax(1), torch.relu):
        layers.judge_last(logits(Net(last=last), alone), bias, "fc2")
    turned = logits(Net(last=lambda x: -x), alone)
    assert "do not follow the bias of fc2" in message(layers.judge_last, turned, bias, "fc2")


def test_outputs_vary_with_inputs_and_not_with_a_batch() -> None:
    found = logits(Net(), WEIGHTS)
    layers.judge_varied(found, "logits")
    layers.judge_alone(logits(Net(), WEIGHTS, IMAGES[:1]), found[:1], "logits")
    layers.judge_cut(found.relu(), "hidden", "fc1")
    assert "all zeros" in message(layers.judge_varied, found * 0, "logits")
    assert "the same for all inputs" in message(layers.judge_varied, found[:1].expand(6, 3), "logits")
    assert "flattening mixes" in message(layers.judge_alone, found[:1], found[1:2], "logits")
    for even, why, other in ((found[:1].expand(6, 3), "flattening", "dropout"), (found, "dropout", "flattening")):
        told = message(layers.judge_alone, found[:1], found[1:2], "logits", 1e-3, lambda even=even: even)
        assert why in told
        assert other not in told
    assert "though it comes after fc1's ReLU" in message(layers.judge_cut, found, "hidden", "fc1")


def test_shapes_and_gradients_are_told_by_layer() -> None:
    net, example = Net(), torch.zeros(1, 4)
    layers.judge_shapes(kit.shapes_of(net, ["fc1", "fc2"], example), "Net", SHAPES)
    assert "the shape of fc2's weight" in message(
        layers.judge_shapes, kit.shapes_of(net, ["fc2"], example), "Net", {"fc2": (3, 6)}
    )
    assert "has no fc3" in message(layers.judge_shapes, kit.shapes_of(net, ["fc3"]), "Net", {"fc3": (3, 6)})
    layers.judge_reached(kit.gradients_of(net, IMAGES, SHAPES), "logits", SHAPES)
    cut = kit.gradients_of(Net(lambda x: x.detach()), IMAGES, SHAPES)
    assert "no gradient reaches fc1 from logits" in message(layers.judge_reached, cut, "logits", SHAPES)
    whole = kit.gradients_of(Net(last=torch.detach), IMAGES, SHAPES)
    assert "logits is cut off from the graph" in message(layers.judge_reached, whole, "logits", SHAPES)
    pair = Net(last=lambda x: (x, x))
    layers.judge_reached(kit.gradients_of(pair, IMAGES, SHAPES, 1), "hidden", SHAPES)
    for net, part in ((pair, 2), (pair, None), (Net(), 1)):
        got = kit.gradients_of(net, IMAGES, SHAPES, part)
        assert "missing in what forward returns" in message(layers.judge_reached, got, "hidden", SHAPES)


def test_several_tensors_are_told_by_their_names_and_order() -> None:
    one, other = torch.zeros(2, 3), torch.zeros(2, 5)
    shapes: dict[str, tuple[int | None, ...]] = {"logits": (2, 3), "hidden": (None, 5)}
    assert expect.tensors((one, other), shapes, "forward") == [one, other]
    assert "forward returns (hidden, logits): the order" in message(expect.tensors, (other, one), shapes, "forward")
    alone = message(expect.tensors, one, shapes, "forward")
    assert "one tensor alone, where it is to return (logits, hidden)" in alone
    assert "hidden: wrong shape" in message(expect.tensors, (one, one), shapes, "forward")
    assert "wrong number of entries" in message(expect.tensors, (one,), shapes, "forward")


def test_a_wrong_shape_is_told_by_what_has_it() -> None:
    images, kernel = torch.rand(2, 1, 7, 6), [[1.0, 2.0], [0.0, -1.0]]
    want, slips = oracles.slide(images, kernel), oracles.slide_slips(images, kernel)
    expect.close(want, want, "filtered", context=slips)
    assert "of padded images" in str(wrong(torch.zeros(2, 1, 7, 6), want, slips))
    assert "moves on by its own size" in str(wrong(want[:, :, ::2, ::2], want, slips))
    assert "of a 3×3 filter" in str(wrong(torch.zeros(2, 1, 5, 4), want, slips))
    turned = oracles.slide(images, [row[::-1] for row in kernel[::-1]])
    assert "these are the values that a flipped kernel gives" in str(wrong(turned, want, slips))


def wrong(got: torch.Tensor, want: torch.Tensor, slips: Any) -> str | None:
    with pytest.raises(CheckFailed) as failure:
        expect.close(got, want, "filtered", context=slips)
    return failure.value.because


def test_a_slip_in_a_size_is_told_by_the_formula_that_gives_it() -> None:
    size, window, step, padding = 15, 4, 2, 4
    slips = oracles.place_slips(size, window, step, padding)
    assert oracles.places(size, window, step, padding) not in slips.values()
    assert len({*slips.values()}) == len(slips)


def test_logits_of_another_number_of_images_are_told_before_one_of_them_is_looked_at() -> None:
    assert layers.logits_of(torch.zeros(4, 10), 10, 4).shape == (4, 10)
    assert layers.logits_of(torch.zeros(1, 10), 10).shape == (1, 10)
    with pytest.raises(AssertionError, match="logits"):
        layers.logits_of(torch.zeros(1, 10), 10, 4)
