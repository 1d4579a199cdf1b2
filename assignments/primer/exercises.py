"""The primer's exercises: a few lines each, and no grade."""

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset


def corners(image: torch.Tensor) -> torch.Tensor:
    """The four corners of an H×W image, as a tensor of 4: top left, top right, bottom left, bottom right."""
    raise NotImplementedError("TODO 0.1: pick the four corners")


def centred(table: torch.Tensor) -> torch.Tensor:
    """N×D → N×D: each column's mean taken off that column."""
    raise NotImplementedError("TODO 0.2: take each column's mean off")


def scaled(pixels: np.ndarray) -> torch.Tensor:
    """Bytes (`uint8`, any shape) as a `float32` tensor of numbers from 0 to 1; the array stays as it is."""
    raise NotImplementedError("TODO 0.3: turn bytes into numbers from 0 to 1")


def mean_on(values: list[float], device: torch.device) -> float:
    """The mean of some numbers, computed on `device`, as a plain float."""
    raise NotImplementedError("TODO 0.4: compute the mean on the device")


def slope(x: float) -> float:
    """dy/dx of y = x³ − 4x at `x`, by autograd, as a plain float."""
    raise NotImplementedError("TODO 0.5: let autograd compute the slope")


class Parabola(nn.Module):
    """y = a·x² + b·x + c, with the parameters `a`, `b` and `c`: single numbers that begin at 0."""

    def __init__(self) -> None:
        super().__init__()
        raise NotImplementedError("TODO 0.6: make the parameters a, b and c")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape → the same shape."""
        raise NotImplementedError("TODO 0.6: compute y")


class Squares(Dataset):
    """Item `i` is the pair (i, i²), two `float32` tensors of one number each."""

    def __init__(self, length: int) -> None:
        raise NotImplementedError("TODO 0.7: keep the length")

    def __len__(self) -> int:
        raise NotImplementedError("TODO 0.7: say how many items there are")

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        raise NotImplementedError("TODO 0.7: return the pair")


def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor) -> float:
    """Train on one batch: the mean squared error before the step, as a plain float."""
    raise NotImplementedError("TODO 0.8: one step of training")
