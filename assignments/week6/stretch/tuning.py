"""Week 6's stretch tasks, worth no points: unfreezing, a schedule, label smoothing. `checks.py` tries them."""

import math

import torch
from torch import nn


def unfreeze_last(features: nn.Sequential, n: int) -> None:
    """Have the last `n` children that have parameters require gradients, and no other one."""
    raise NotImplementedError("TODO 6.18: freeze all, then wake the last n children that have parameters")


def warm_up_cosine(step: int, warm_up: int, total: int, lr: float) -> float:
    """The learning rate of a step: a line up to `lr` at step `warm_up` − 1, then half a cosine down to 0 at `total`."""
    raise NotImplementedError("TODO 6.19: a line first, a cosine then")


def smooth_cross_entropy(logits: torch.Tensor, labels: torch.Tensor, smoothing: float = 0.1) -> torch.Tensor:
    """Mean cross-entropy of N×K logits against targets of 1 − s + s/K for the true class and s/K for each other one."""
    raise NotImplementedError("TODO 6.20: the weighted mean of two losses")
