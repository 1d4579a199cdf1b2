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
        # BEGIN SOLUTION 7.15: create the three convolutions, their normalisations and the shortcut
        inner = out_channels // 4
        self.conv1 = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            projection = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(out_channels))
        # END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The three convolutions' result plus the shortcut's, and a ReLU after the sum."""
        # BEGIN SOLUTION 7.15: narrow, look, widen, and add
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        return F.relu(self.bn3(self.conv3(out)) + self.shortcut(x))
        # END SOLUTION


def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move each parameter of `average` towards the model's: decay·its own + (1 − decay)·the model's.

    Buffers are copied. The model stays as it is, and nothing is recorded in a graph.
    """
    # BEGIN SOLUTION 7.16: move the parameters, copy the buffers
    with torch.no_grad():
        for kept, new in zip(average.parameters(), model.parameters(), strict=True):
            kept.mul_(decay).add_(new, alpha=1 - decay)
        for kept, new in zip(average.buffers(), model.buffers(), strict=True):
            kept.copy_(new)
    # END SOLUTION


def drop_path(change: torch.Tensor, rate: float, training: bool) -> torch.Tensor:
    """While training, the change of each image becomes 0 with probability `rate`, and change / (1 − rate) otherwise.

    `change` is N×C×H×W, `rate` is less than 1. In evaluation the change comes back as it is.
    """
    # BEGIN SOLUTION 7.17: draw for each image whether it keeps its change
    if not training or rate == 0:
        return change
    kept = torch.rand(len(change), 1, 1, 1, device=change.device) >= rate
    return change * kept / (1 - rate)
    # END SOLUTION
