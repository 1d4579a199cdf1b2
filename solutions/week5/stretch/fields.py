"""Week 5's stretch tasks, worth no points: LeNet of 1998, and receptive fields. `checks.py` tries them."""

import torch
from torch import nn


class MeanLeNet(nn.Module):
    """LeNet with mean pooling and tanh: N×1×28×28 → N×`output_dim`.

    Layers `conv1`, `conv2`, `fc_1`, `fc_2`, `fc_3` as in `LeNet`; in each block activation comes before pooling.
    """

    def __init__(self, output_dim: int) -> None:
        super().__init__()
        # BEGIN SOLUTION 5.13: create the five layers
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc_1 = nn.Linear(256, 120)
        self.fc_2 = nn.Linear(120, 84)
        self.fc_3 = nn.Linear(84, output_dim)
        # END SOLUTION

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        # BEGIN SOLUTION 5.13: activation, then mean pooling, in each block
        for layer in (self.conv1, self.conv2):
            images = nn.functional.avg_pool2d(layer(images).tanh(), 2)
        hidden = self.fc_1(images.flatten(1)).tanh()
        return self.fc_3(self.fc_2(hidden).tanh())
        # END SOLUTION


def receptive_field(layers: list[tuple[int, int]]) -> int:
    """How many pixels in height one number of the output sees; `layers` are pairs `(kernel_size, stride)`, in order."""
    # BEGIN SOLUTION 5.14: walk through the layers with a field and a jump
    field, jump = 1, 1
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * jump
        jump *= stride
    return field
    # END SOLUTION
