"""Right loops pass on a network with batch normalisation, and what a linear classifier cannot show is told here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grader.checks import seeds, twins
from grader.checks.expect import CheckFailed
from grader.inside import codec, kit


def train(model: nn.Module, loader: Any, optimizer: Any, criterion: nn.Module, device: Any) -> list[float]:
    model.train()
    losses = []
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x).logits, y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def evaluate(model: nn.Module, loader: Any, _: Any, criterion: nn.Module, device: Any) -> tuple[float, float]:
    model.eval()
    with torch.no_grad():
        found = [(model(x).logits, y) for x, y in loader]
    logits, y = (torch.cat(parts) for parts in zip(*found, strict=True))
    return criterion(logits, y).item(), 100 * (logits.argmax(1) == y).double().mean().item()


def trained(loop: Callable[..., Any]) -> Any:
    net, state, x, y = twins.network(seeds.generator(0), 26)
    losses = twins.run_epochs(net, x, y, batch_size=4, epochs=2, lr=0.1, momentum=0.9)
    got = codec.decode(codec.encode(kit.trained_net(loop, state, x, y, 4, 2, lr=0.1, momentum=0.9, pair=True)))
    twins.judge_trained(got, net)
    twins.judge_epochs(got, losses, epochs=2, interval=1)
    return got


def evaluated(loop: Callable[..., Any]) -> None:
    net, state, x, y = twins.network(seeds.generator(0), 25)
    got = codec.decode(codec.encode(kit.evaluated_net(loop, state, x, y, 8, pair=True)))
    twins.judge_results(got, net, x, y, 8)
    twins.judge_unrecorded(got)
    twins.judge_untouched(got, net, state, x, "evaluate")


def test_right_loops_pass() -> None:
    trained(train)
    evaluated(evaluate)


def test_what_a_loop_forgets_is_told() -> None:
    begun: list[int] = []

    def once(model: nn.Module, *rest: Any) -> Any:
        if begun:
            model.train = lambda mode=True: model  # type: ignore[method-assign]
        begun.append(1)
        return train(model, *rest)

    def moving(model: nn.Module, loader: Any, *rest: Any) -> Any:
        model.train()
        with torch.no_grad():
            model(next(iter(loader))[0])
        return evaluate(model, loader, *rest)

    def recording(model: nn.Module, loader: Any, *rest: Any) -> Any:
        model.eval()
        for x, _ in loader:
            model(x)
        return evaluate(model, loader, *rest)

    for judge, loop, told in (
        (trained, once, "after training"),
        (evaluated, moving, "running_mean afterwards"),
        (evaluated, recording, "gradients were recorded"),
        (trained, lambda *given: train(*given)[1:], "the logged losses: wrong number of entries"),
    ):
        with pytest.raises(CheckFailed, match=told):
            judge(loop)


def test_the_twin_and_the_probes_network_are_one_and_the_same() -> None:
    net, state, x, y = twins.network(seeds.generator(1), 9)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    own = kit.Net(state).eval()
    assert torch.equal(own(x), twins.answers(net, x))
    before = F.cross_entropy(own.train()(x), y).item()
    assert twins.run_epochs(net, x, y, 9, 1, lr=0.1)[0] == pytest.approx(before)
