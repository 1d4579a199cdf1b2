"""Week 6, part 3: VGG."""

import torch
from torch import nn


def adaptive_pool_filter_size(input_size: int, output_size: int) -> int:
    """Nominal filter size with which adaptive pooling takes `input_size` pixels to `output_size`."""
    raise NotImplementedError("TODO 6.5: compute the filter size of adaptive pooling")


class VGG(nn.Module):
    """VGG in configuration A (11 weight layers) with batch normalisation: `features`, `avgpool`, `classifier`.

    `features`: 3×3 convolutions with padding 1 and 64, 128, 256, 256, 512, 512, 512, 512 channels, each followed by
    batch normalisation and ReLU; max pooling of size 2 after the 1st, 2nd, 4th, 6th and 8th. `avgpool`: adaptive
    average pooling to 7×7. `classifier`: linear layers of 4096, 4096 and `output_dim` units, with ReLU and dropout
    (0.5) after the first two.
    """

    def __init__(self, output_dim: int) -> None:
        super().__init__()
        raise NotImplementedError("TODO 6.8: build features, avgpool and classifier")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """N×3×H×W images, 32×32 or larger → logits N×output_dim."""
        raise NotImplementedError("TODO 6.8: send the images through the three parts")
