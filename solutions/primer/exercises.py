"""The primer's exercises: a few lines each, and no grade."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset


def corners(image: torch.Tensor) -> torch.Tensor:
    """The four corners of an H×W image, as a tensor of 4: top left, top right, bottom left, bottom right."""
    # BEGIN SOLUTION 0.1: pick the four corners
    rows = image[[0, -1]]
    return rows[:, [0, -1]].flatten()
    # END SOLUTION


def centred(table: torch.Tensor) -> torch.Tensor:
    """N×D → N×D: each column's mean taken off that column."""
    # BEGIN SOLUTION 0.2: take each column's mean off
    return table - table.mean(dim=0)
    # END SOLUTION


def scaled(pixels: np.ndarray) -> torch.Tensor:
    """Bytes (`uint8`, any shape) as a `float32` tensor of numbers from 0 to 1; the array stays as it is."""
    # BEGIN SOLUTION 0.3: turn bytes into numbers from 0 to 1
    return torch.from_numpy(pixels).float() / 255
    # END SOLUTION


def mean_on(values: list[float], device: torch.device) -> float:
    """The mean of some numbers, computed on `device`, as a plain float."""
    # BEGIN SOLUTION 0.4: compute the mean on the device
    return torch.tensor(values, device=device).mean().item()
    # END SOLUTION


def slope(x: float) -> float:
    """dy/dx of y = x³ − 4x at `x`, by autograd, as a plain float."""
    # BEGIN SOLUTION 0.5: let autograd compute the slope
    point = torch.tensor(float(x), requires_grad=True)
    (point**3 - 4 * point).backward()
    return point.grad.item()
    # END SOLUTION


class Parabola(nn.Module):
    """y = a·x² + b·x + c, with the parameters `a`, `b` and `c`: single numbers that begin at 0."""

    def __init__(self) -> None:
        super().__init__()
        # BEGIN SOLUTION 0.6: make the parameters a, b and c
        self.a = nn.Parameter(torch.zeros(1))
        self.b = nn.Parameter(torch.zeros(1))
        self.c = nn.Parameter(torch.zeros(1))
        # END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape → the same shape."""
        # BEGIN SOLUTION 0.6: compute y
        return self.a * x**2 + self.b * x + self.c
        # END SOLUTION


class Squares(Dataset):
    """Item `i` is the pair (i, i²), two `float32` tensors of one number each."""

    def __init__(self, length: int) -> None:
        # BEGIN SOLUTION 0.7: keep the length
        self.length = length
        # END SOLUTION

    def __len__(self) -> int:
        # BEGIN SOLUTION 0.7: say how many items there are
        return self.length
        # END SOLUTION

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        # BEGIN SOLUTION 0.7: return the pair
        return torch.tensor([float(index)]), torch.tensor([float(index**2)])
        # END SOLUTION


def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor) -> float:
    """Train on one batch: the mean squared error before the step, as a plain float."""
    # BEGIN SOLUTION 0.8: one step of training
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()
    # END SOLUTION
