"""Week 4's stretch task, worth no points: stochastic gradient descent with momentum. `checks.py` tries it."""

from collections.abc import Iterable

import torch


class Momentum:
    """An optimizer: v ← momentum·v + gradient and p ← p − lr·v for each parameter p, with v = 0 at first."""

    def __init__(self, parameters: Iterable[torch.Tensor], lr: float, momentum: float = 0.9) -> None:
        raise NotImplementedError("TODO 4.12: keep the parameters, and a velocity for each")

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        raise NotImplementedError("TODO 4.12: clear each gradient")

    def step(self) -> None:
        """Move each parameter that has a gradient, without recording a graph."""
        raise NotImplementedError("TODO 4.12: update velocities and parameters")
