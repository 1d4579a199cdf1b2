"""Week 4's stretch task, worth no points: stochastic gradient descent with momentum. `checks.py` tries it."""

from collections.abc import Iterable

import torch


class Momentum:
    """An optimizer: v ← momentum·v + gradient and p ← p − lr·v for each parameter p, with v = 0 at first."""

    def __init__(self, parameters: Iterable[torch.Tensor], lr: float, momentum: float = 0.9) -> None:
        # BEGIN SOLUTION 4.12: keep the parameters, and a velocity for each
        self.parameters = list(parameters)
        self.lr = lr
        self.momentum = momentum
        self.velocities = [torch.zeros_like(parameter) for parameter in self.parameters]
        # END SOLUTION

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        # BEGIN SOLUTION 4.12: clear each gradient
        for parameter in self.parameters:
            parameter.grad = None
        # END SOLUTION

    def step(self) -> None:
        """Move each parameter that has a gradient, without recording a graph."""
        # BEGIN SOLUTION 4.12: update velocities and parameters
        with torch.no_grad():
            for parameter, velocity in zip(self.parameters, self.velocities, strict=True):
                if parameter.grad is not None:
                    velocity.mul_(self.momentum).add_(parameter.grad)
                    parameter.sub_(velocity, alpha=self.lr)
        # END SOLUTION
