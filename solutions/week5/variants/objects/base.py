"""A base class that counts and initialises."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Output(NamedTuple):
    logits: Tensor
    hidden: Tensor


@dataclass
class Meter:
    """Sums and counts."""

    total: float = 0.0
    count: int = 0
    log: list[float] = field(default_factory=list)

    def add(self, value: float, weight: int = 1) -> None:
        self.total += value * weight
        self.count += weight

    @property
    def mean(self) -> float:
        return self.total / self.count


class Classifier(nn.Module, abc.ABC):
    """What every network of mine can do."""

    def reset(self) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    @abc.abstractmethod
    def features(self, images: Tensor) -> Tensor: ...

    @abc.abstractmethod
    def classify(self, hidden: Tensor) -> Tensor: ...

    def forward(self, images: Tensor, **_: Any) -> Output:
        if images.ndim == 3:
            images = images[None]
        hidden = torch.flatten(self.features(images), 1)
        return Output(hidden=hidden, logits=self.classify(hidden))
