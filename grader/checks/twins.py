"""Judges loops on a small network with batch normalisation, a `kit.Net`, beside a twin that the judge trains itself."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional as F

from grader.checks import expect, loops
from grader.inside import says
from grader.inside.kit import SMOOTHING, Net

State = Mapping[str, torch.Tensor]
FEATURES, HIDDEN, CLASSES = 6, 5, 3


def network(gen: torch.Generator, count: int) -> tuple[Net, dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
    """Return the judge's twin, its state for a probe, and N×6 features with their labels."""
    shapes = {"first": (HIDDEN, FEATURES), "last": (CLASSES, HIDDEN)}
    state = dict[str, torch.Tensor]()
    for name, shape in shapes.items():
        state |= {f"{name}.weight": torch.randn(shape, generator=gen) * 0.7}
        state |= {f"{name}.bias": torch.randn(shape[0], generator=gen) * 0.7}
    state |= {f"norm.{part}": torch.randn(HIDDEN, generator=gen) * 0.7 for part in ("weight", "bias")}
    state["norm.running_mean"] = torch.randn(HIDDEN, generator=gen) * 0.3
    state["norm.running_var"] = torch.rand(HIDDEN, generator=gen) + 0.5
    state["norm.num_batches_tracked"] = torch.tensor(0)
    x, y = torch.randn(count, FEATURES, generator=gen), torch.randint(0, CLASSES, (count,), generator=gen)
    return Net(copy.deepcopy(state)), state, x, y


def run_epochs(
    net: Net, x: torch.Tensor, y: torch.Tensor, batch_size: int, epochs: int, lr: float, momentum: float = 0.0,
    reduction: str = "mean",
) -> list[float]:  # fmt: skip
    """Train the twin by plain gradient descent, and return the loss of each batch before its step."""
    trainable = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimizer, losses = torch.optim.SGD(trainable, lr=lr, momentum=momentum), list[float]()
    net.train()
    for _ in range(epochs):
        for inputs, labels in zip(x.split(batch_size), y.split(batch_size), strict=True):
            loss = F.cross_entropy(net(inputs), labels, reduction=reduction)
            for parameter, gradient in zip(trainable, torch.autograd.grad(loss, trainable), strict=True):
                parameter.grad = gradient
            optimizer.step()
            losses.append(float(loss.detach()))
    return losses


def answers(net: Net, x: torch.Tensor) -> torch.Tensor:
    """Return the twin's logits in evaluation mode."""
    with torch.no_grad():
        logits: torch.Tensor = net.eval()(x)
    return logits


def judge_state(got: Any, state: State, what: str) -> None:
    """Parameters and averages in the evidence are these."""
    for name, want in state.items():
        value = expect.field(expect.field(got, "state"), name)
        expect.close(value, want, f"{name} {what}", rtol=1e-3, atol=1e-3)


def judge_epochs(got: Any, losses: Sequence[float], epochs: int, interval: int) -> None:
    """In each epoch every `interval`-th of its losses was logged, the first included."""
    count = len(losses) // epochs
    for number, found in enumerate(expect.items(expect.field(got, "results"), epochs, "the losses")):
        judge_losses(found, losses[number * count : (number + 1) * count : interval])


def judge_losses(got: Any, wanted: Sequence[float]) -> None:
    """These losses were logged, as plain floats."""
    for value, want in zip(expect.items(got, len(wanted), "the logged losses"), wanted, strict=True):
        expect.instance(value, float, says("a logged loss"))
        expect.near(value, want, "a logged loss", rtol=1e-3, atol=1e-3)


def judge_trained(got: Any, net: Net) -> None:
    """A loop has made of the network what the judge has made of its twin, in training mode, and left nothing else."""
    judge_state(got, net.state_dict(), says("after training"))
    modes = expect.items(expect.field(got, "modes"), None, "the modes seen")
    training = bool(modes) and all(mode is True for mode in modes)
    expect.true(training, "the model was not in training mode: call model.train() first")
    _judge_recording(got)


def judge_untouched(got: Any, net: Net, state: State, x: torch.Tensor, what: str) -> None:
    """An evaluation loop left no gradients, and changed nothing; its answers are the twin's."""
    without = expect.items(expect.field(got, "grads"), len([*net.parameters()]), "the gradients afterwards")
    expect.true(all(none is True for none in without), "gradients were left behind")
    judge_state(got, state, says("afterwards"))
    flags = {name: name != "first.weight" for name, _ in net.named_parameters()}
    loops.judge_flags(expect.field(got, "requires_grad"), flags)
    attached = expect.items(expect.field(got, "attached"), None, "the tensors that are returned")
    expect.true(all(graph is False for graph in attached), "what is returned still belongs to a graph")
    _judge_recording(got)
    loops.judge_answered(got, answers(net, x), what)


def judge_unrecorded(got: Any) -> None:
    """An evaluation loop recorded no gradients."""
    modes = expect.items(expect.field(got, "grad_modes"), None, "the gradient modes seen")
    expect.true(bool(modes) and all(mode is False for mode in modes), "gradients were recorded")


def judge_results(got: Any, net: Net, x: torch.Tensor, y: torch.Tensor, batch_size: int, percent: bool = True) -> None:
    """An evaluation loop has returned (loss, accuracy): of the loss that it was given, and of all examples."""
    logits = answers(net, x)
    loss, accuracy = expect.items(expect.field(got, "result"), 2, "what is returned, (loss, accuracy)")
    losses = F.cross_entropy(logits, y, reduction="none", label_smoothing=SMOOTHING)
    loops.near_one_of(loss, loops.means(losses, batch_size), says("the loss"), rtol=1e-3, atol=1e-4)
    hits = (100 if percent else 1) * (logits.argmax(1) == y).double()
    by_batch, by_example = loops.means(hits, batch_size)
    wanted = (by_example,) if percent else (by_batch, by_example)
    loops.near_one_of(accuracy, wanted, says("the accuracy"), rtol=1e-3, atol=1e-3)


def _judge_recording(got: Any) -> None:
    kept = expect.field(got, "grad_enabled") is True
    expect.true(kept, "the caller's gradient mode was changed")
