"""Week 5, part 1: the sizes of feature maps, and LeNet."""

import torch
import torch.nn.functional as F
from torch import nn


def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    """Height (or width) of what a convolution gives for an input of height (or width) `size`."""
    raise NotImplementedError("TODO 5.1: compute the output size of a convolution")


def pool_output_size(size: int, kernel_size: int, stride: int | None = None) -> int:
    """Height (or width) after pooling with windows of `kernel_size`; the stride defaults to the window's size."""
    raise NotImplementedError("TODO 5.2: compute the output size of a pooling layer")


class LeNet(nn.Module):
    """LeNet for 28×28 greyscale images.

    Layers: `conv1` (6 filters of 5×5), `conv2` (16 filters of 5×5), `fc_1` (120), `fc_2` (84), `fc_3`
    (`output_dim`). Each convolution is followed by max-pooling of size 2 and ReLU.
    """

    def __init__(self, output_dim: int) -> None:
        super().__init__()
        raise NotImplementedError("TODO 5.3: create the layers conv1, conv2, fc_1, fc_2 and fc_3")

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """N×1×28×28 images (or a single 1×28×28) → logits N×output_dim, hidden N×256.

        `hidden` is the flattened output of the second block, after its ReLU.
        """
        raise NotImplementedError("TODO 5.3: send the images through both blocks and the three linear layers")
