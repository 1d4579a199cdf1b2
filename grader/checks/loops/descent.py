"""Computes what gradient descent makes of a linear classifier, and what usual mistakes make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

from grader.inside import says

Tensors = tuple[torch.Tensor, ...]


class Descent(NamedTuple):
    """Parameters after one epoch, and each batch's mean loss and accuracy (a fraction) before its step."""

    weight: torch.Tensor
    bias: torch.Tensor
    losses: list[float]
    accuracies: list[float]
    later: list[float]  # each batch's mean loss after its step
    slips: Callable[[], dict[str, torch.Tensor]]  # the weight that typical mistakes give


NO_GRADIENT = says("no step has used a gradient (is backward() or step() missing, or zero_grad() between them?)")
ONE_STEP = says("is a `return` or `break` inside the loop, or step() inside the `if` of the log?")
STALE = 5.0  # what the probes leave in every gradient before they train


def problem(gen: torch.Generator, count: int, features: int, classes: int) -> Tensors:
    """Inputs N×features, labels N, and the weight and bias of a linear classifier to begin with."""
    x = torch.randn(count, features, generator=gen)
    y = torch.randint(0, classes, (count,), generator=gen)
    weight = torch.randn(classes, features, generator=gen)
    bias = torch.randn(classes, generator=gen)
    return x, y, weight, bias


def normed_problem(gen: torch.Generator, count: int = 23) -> Tensors:
    """A problem behind batch normalisation in evaluation mode: also its running mean and variance, and the logits."""
    x, y, weight, bias = problem(gen, count, 4, 3)
    mean, var = torch.randn(4, generator=gen), torch.rand(4, generator=gen) + 0.5
    logits = ((x - mean) / (var + 1e-5).sqrt()) @ weight.T + bias
    return x, y, weight, bias, mean, var, logits


def descend(
    x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, batch_size: int, lr: float
) -> Descent:
    """One epoch of gradient descent: the gradient of the mean cross-entropy is xᵀ(softmax(logits) − one-hot)/n."""

    last = (len(x) - 1) // batch_size * batch_size

    def slips() -> dict[str, torch.Tensor]:
        given = (x, y, weight, bias, batch_size, lr)
        return {
            f"{says('from before training')}: {NO_GRADIENT}": weight,
            f"{says('after the first batch alone')}: {ONE_STEP}": _descended(
                x[:batch_size], y[:batch_size], weight, bias, batch_size, lr
            ).weight,
            says("that come out where each batch's gradient is added to the one before"): _descended(
                *given, clears=False
            ).weight,
            says("that come out where gradients from before the call are not cleared"): _descended(
                *given, stale=STALE
            ).weight,
            says("that come out where gradients are never cleared"): _descended(*given, False, STALE).weight,
            says("of steps uphill"): _descended(x, y, weight, bias, batch_size, -lr).weight,
            says("of two steps for each batch"): _descended(x, y, weight, bias, batch_size, 2 * lr).weight,
            says("of one step after the last batch alone: the step belongs in the loop"): _descended(
                x[last:], y[last:], weight, bias, batch_size, lr
            ).weight,
            says("of all batches but the last: each of them counts"): _descended(
                x[:last], y[:last], weight, bias, batch_size, lr
            ).weight,
            **_other_optimizers(x, y, weight, bias, batch_size),
        }

    return _descended(x, y, weight, bias, batch_size, lr)._replace(slips=slips)


def _other_optimizers(
    x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, batch_size: int
) -> dict[str, torch.Tensor]:
    """The weights that optimizers of a student's own give, with usual learning rates."""
    found = {}
    for lr in (1.0, 0.1, 0.01, 0.001):
        name = says(f"of an optimizer of your own (SGD, lr={lr}), and not of the one that is given")
        found[name] = _descended(x, y, weight, bias, batch_size, lr).weight
        model = torch.nn.Linear(weight.shape[1], weight.shape[0])
        model.load_state_dict({"weight": weight, "bias": bias})
        adam = torch.optim.Adam(model.parameters(), lr=lr)
        for start in range(0, len(x), batch_size):
            adam.zero_grad()
            part = slice(start, start + batch_size)
            torch.nn.functional.cross_entropy(model(x[part]), y[part]).backward()
            adam.step()
        found[says(f"of an optimizer of your own (Adam, lr={lr}), and not of the one that is given")] = (
            model.weight.detach()
        )
    return found


def _descended(
    x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, batch_size: int, lr: float,
    clears: bool = True, stale: float = 0.0,
) -> Descent:  # fmt: skip
    """As `descend`; with `clears=False` each batch's gradient is added to those before it, `stale` to the first."""
    weight, bias = weight.double().clone(), bias.double().clone()
    losses, accuracies, later = [], [], []
    gradient = torch.full_like(weight, stale), torch.full_like(bias, stale)
    for start in range(0, len(x), batch_size):
        inputs, labels = x[start : start + batch_size].double(), y[start : start + batch_size]
        logits = inputs @ weight.T + bias
        accuracies.append((logits.argmax(1) == labels).double().mean().item())
        probs = logits.softmax(1)
        losses.append(-probs[range(len(labels)), labels].log().mean().item())
        probs[range(len(labels)), labels] -= 1
        if clears and start:
            gradient = torch.zeros_like(weight), torch.zeros_like(bias)
        gradient[0].add_(probs.T @ inputs / len(labels))
        gradient[1].add_(probs.mean(0))
        weight -= lr * gradient[0]
        bias -= lr * gradient[1]
        later.append(losses_of(inputs @ weight.T + bias, labels).mean().item())
    return Descent(weight.float(), bias.float(), losses, accuracies, later, dict)


def losses_of(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The cross-entropy of each example."""
    return -logits.log_softmax(1)[range(len(labels)), labels]
