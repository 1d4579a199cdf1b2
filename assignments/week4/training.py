"""Week 4, part 2: seeds, data, and the training loop."""

import random
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


def set_seed(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch (CUDA too where present)."""
    raise NotImplementedError("TODO 4.1: seed every generator")


def pixel_stats(images: np.ndarray | torch.Tensor) -> tuple[float, float]:
    """Mean and standard deviation of all pixels of a uint8 N×H×W stack, after scaling to [0, 1]."""
    raise NotImplementedError("TODO 4.3: scale, then average over all pixels")


def split_train_valid(dataset: Dataset, train_ratio: float = 0.9, seed: int = 42) -> tuple[Dataset, Dataset]:
    """Two disjoint random parts `(training, validation)` that together are the dataset.

    The first has `int(len * train_ratio)` items. The same seed gives the same split.
    """
    raise NotImplementedError("TODO 4.4: split with a generator of your own")


def make_loaders(
    train: Dataset, valid: Dataset, test: Dataset, batch_size: int = 64
) -> tuple[DataLoader, DataLoader, DataLoader]:
    """A loader for each dataset: training shuffles, the others keep their order, none drops anything."""
    raise NotImplementedError("TODO 4.5: make the three loaders")


def train(
    model: nn.Module,
    device: torch.device,
    train_loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    criterion: Callable,
    epoch: int,
    log_interval: int = 100,
) -> list[float]:
    """Train for one epoch; the loss of every `log_interval`-th batch, the first included."""
    raise NotImplementedError("TODO 4.7: one epoch of training")


def validate(
    model: nn.Module,
    device: torch.device,
    loader: DataLoader,
    criterion: Callable,
    dataset_name: str = "Validation",
) -> tuple[float, float]:
    """Mean loss (over batches or examples), accuracy over all examples in percent. Changes nothing in the model."""
    raise NotImplementedError("TODO 4.8: evaluate without gradients")


def fit(
    model: nn.Module,
    device: torch.device,
    train_loader: DataLoader,
    valid_loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    criterion: Callable,
    n_epochs: int,
) -> dict[str, list[float]]:
    """Train and validate for `n_epochs` epochs.

    Returns `train_losses` (the lists that `train` returned, joined), `valid_losses` and `valid_accuracies` (one
    entry an epoch).
    """
    raise NotImplementedError("TODO 4.9: train and validate, epoch by epoch")
