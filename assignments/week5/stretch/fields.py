"""Week 5's stretch tasks, worth no points: LeNet of 1998, and receptive fields. `checks.py` tries them."""

import torch
from torch import nn


class MeanLeNet(nn.Module):
    """LeNet with mean pooling and tanh: N×1×28×28 → N×`output_dim`.

    Layers `conv1`, `conv2`, `fc_1`, `fc_2`, `fc_3` as in `LeNet`; in each block activation comes before pooling.
    """

    def __init__(self, output_dim: int) -> None:
        super().__init__()
        raise NotImplementedError("TODO 5.13: create the five layers")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("TODO 5.13: activation, then mean pooling, in each block")


def receptive_field(layers: list[tuple[int, int]]) -> int:
    """How many pixels in height one number of the output sees; `layers` are pairs `(kernel_size, stride)`, in order."""
    raise NotImplementedError("TODO 5.14: walk through the layers with a field and a jump")
