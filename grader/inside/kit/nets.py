"""Runs loops on a small network with batch normalisation and dropout: `checks.twins` judges the notes.

It shows what a linear classifier cannot: that a loop keeps running averages, momentum and modes over several epochs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from .recording import CPU, Calls, Loop


class Output(NamedTuple):
    """What a network gives that returns two things."""

    logits: torch.Tensor
    hidden: torch.Tensor


class Net(nn.Module):
    """Notes its calls: two linear layers, batch normalisation, ReLU and dropout between, with sizes as in `state`.

    With `pair` it gives `Output(logits, hidden)`.
    """

    def __init__(self, state: Mapping[str, torch.Tensor], dropout: float = 0.0, pair: bool = False) -> None:
        super().__init__()
        hidden, features = state["first.weight"].shape
        self.first = nn.Linear(features, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.last = nn.Linear(hidden, len(state["last.weight"]))
        self.dropout = nn.Dropout(dropout)
        self.load_state_dict(dict(state))
        self.pair = pair
        self.calls = Calls()

    def forward(self, inputs: torch.Tensor) -> Any:
        hidden = self.dropout(self.norm(self.first(inputs.flatten(1))).relu())
        logits = self.last(hidden)
        answer = Output(logits, hidden) if self.pair else logits
        self.calls.note(self, inputs, answer)
        return answer


def trained_net(
    loop: Loop, state: Mapping[str, torch.Tensor], features: torch.Tensor, labels: torch.Tensor, batch_size: int,
    epochs: int, lr: float, momentum: float = 0.0, pair: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Run a training loop several times on a `Net`, each time left in evaluation mode, and with stale gradients."""
    net, results = Net(state, pair=pair), []
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum)
    loader = DataLoader(TensorDataset(features, labels), batch_size=batch_size)
    for _ in range(epochs):
        net.eval()
        for parameter in net.parameters():
            parameter.grad = torch.ones_like(parameter)
        results.append(loop(net, loader, optimizer, nn.CrossEntropyLoss(), CPU))
    return {
        "results": results,
        "state": dict(net.state_dict()),
        "modes": net.calls.modes,
        "grad_enabled": torch.is_grad_enabled(),
    }


def evaluated_net(
    loop: Loop, state: Mapping[str, torch.Tensor], features: torch.Tensor, labels: torch.Tensor, batch_size: int,
    pair: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Run an evaluation loop on a `Net` with dropout, in training mode, a weight of it frozen; the loss is smoothed."""
    net = Net(state, dropout=0.5, pair=pair)
    net.train()
    net.first.weight.requires_grad_(False)
    loader = DataLoader(TensorDataset(features, labels), batch_size=batch_size)
    result = loop(net, loader, None, nn.CrossEntropyLoss(label_smoothing=SMOOTHING), CPU)
    parts = result if isinstance(result, (tuple, list)) else [result]
    return {
        "result": result,
        "attached": [bool(one.requires_grad) for one in parts if isinstance(one, torch.Tensor)],
        "first": net.calls.first,
        "grad_modes": net.calls.grad_modes,
        "state": dict(net.state_dict()),
        "grads": [p.grad is None for p in net.parameters()],
        "requires_grad": {name: bool(p.requires_grad) for name, p in net.named_parameters()},
        "grad_enabled": torch.is_grad_enabled(),
    }


SMOOTHING = 0.2  # of the loss that an evaluation loop is given
