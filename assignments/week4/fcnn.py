"""Week 4, part 1: gradients, and a fully connected network."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn


def derivative(f: Callable, x: float) -> float:
    """df/dx at `x`, by autograd.

    `f` gets a 0-dimensional float32 tensor. Where its result does not depend on that, the derivative is 0.0.
    """
    raise NotImplementedError("TODO 4.2: let autograd compute the derivative")


class FCNN(nn.Module):
    """A fully connected network.

    Layers: `fc1` (1024 units), `fc2` (2048 units), `fc3` (`output_classes`); ReLU after the first two.
    """

    def __init__(self, input_size: int, output_classes: int) -> None:
        super().__init__()
        raise NotImplementedError("TODO 4.6: create the layers fc1, fc2 and fc3")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """N×1×H×W images, or N×D already flat → logits N×output_classes."""
        raise NotImplementedError("TODO 4.6: flatten each image, and send it through the layers")


def predict(model: nn.Module, image: torch.Tensor, device: torch.device) -> int:
    """The class of one image C×H×W, as an int; the model is in evaluation mode while it is asked."""
    raise NotImplementedError("TODO 4.10: ask the model for one image's class")
