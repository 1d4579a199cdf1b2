"""Week 7's stretch tasks, worth no points: a bottleneck, averaged weights, stochastic depth. `checks.py` tries them."""

import torch
import torch.nn.functional as F
from torch import nn


class Bottleneck(nn.Module):
    """A residual block of three convolutions: N×`in_channels`×H×W → N×`out_channels`×H'×W'.

    Layers: `conv1` (1×1, to `out_channels` // 4), `bn1`, `conv2` (3×3, padding 1, with the block's stride), `bn2`,
    `conv3` (1×1, to `out_channels`), `bn3`, and `shortcut` as in task 7.1. No convolution has a bias; ReLU after `bn1`,
    after `bn2` and after the sum.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        raise NotImplementedError("TODO 7.15: create the three convolutions, their normalisations and the shortcut")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The three convolutions' result plus the shortcut's, and a ReLU after the sum."""
        raise NotImplementedError("TODO 7.15: narrow, look, widen, and add")


def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move each parameter of `average` towards the model's: decay·its own + (1 − decay)·the model's.

    Buffers are copied. The model stays as it is, and nothing is recorded in a graph.
    """
    raise NotImplementedError("TODO 7.16: move the parameters, copy the buffers")


def drop_path(change: torch.Tensor, rate: float, training: bool) -> torch.Tensor:
    """While training, the change of each image becomes 0 with probability `rate`, and change / (1 − rate) otherwise.

    `change` is N×C×H×W, `rate` is less than 1. In evaluation the change comes back as it is.
    """
    raise NotImplementedError("TODO 7.17: draw for each image whether it keeps its change")
