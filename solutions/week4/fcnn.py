"""Week 4, part 1: gradients, and a fully connected network."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn


def derivative(f: Callable, x: float) -> float:
    """df/dx at `x`, by autograd.

    `f` gets a 0-dimensional float32 tensor. Where its result does not depend on that, the derivative is 0.0.
    """
    # BEGIN SOLUTION 4.2: let autograd compute the derivative
    point = torch.tensor(float(x), requires_grad=True)
    value = f(point)
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        return 0.0
    (slope,) = torch.autograd.grad(value, point, allow_unused=True)
    return 0.0 if slope is None else slope.item()
    # END SOLUTION


class FCNN(nn.Module):
    """A fully connected network.

    Layers: `fc1` (1024 units), `fc2` (2048 units), `fc3` (`output_classes`); ReLU after the first two.
    """

    def __init__(self, input_size: int, output_classes: int) -> None:
        super().__init__()
        # BEGIN SOLUTION 4.6: create the layers fc1, fc2 and fc3
        self.fc1 = nn.Linear(input_size, 1024)
        self.fc2 = nn.Linear(1024, 2048)
        self.fc3 = nn.Linear(2048, output_classes)
        # END SOLUTION

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """N×1×H×W images, or N×D already flat → logits N×output_classes."""
        # BEGIN SOLUTION 4.6: flatten each image, and send it through the layers
        flat = images.flatten(start_dim=1)
        hidden = F.relu(self.fc1(flat))
        hidden = F.relu(self.fc2(hidden))
        return self.fc3(hidden)
        # END SOLUTION


def predict(model: nn.Module, image: torch.Tensor, device: torch.device) -> int:
    """The class of one image C×H×W, as an int; the model is in evaluation mode while it is asked."""
    # BEGIN SOLUTION 4.10: ask the model for one image's class
    model.eval()
    with torch.no_grad():
        logits = model(image.unsqueeze(0).to(device))
    return int(logits.argmax(dim=1).item())
    # END SOLUTION
