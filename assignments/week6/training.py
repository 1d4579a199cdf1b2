"""Week 6, part 5: training with checkpoints."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader


def calculate_accuracy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Fraction of the N rows whose largest logit is at the label, as a tensor without axes."""
    raise NotImplementedError("TODO 6.13: compare the predicted classes with the labels")


def train(
    model: nn.Module, iterator: DataLoader, optimizer: torch.optim.Optimizer, criterion: Callable, device: torch.device
) -> tuple[float, float]:
    """Train for one epoch; means of loss and accuracy (a fraction), over batches or over examples."""
    raise NotImplementedError("TODO 6.14: one epoch of training")


def evaluate(model: nn.Module, iterator: DataLoader, criterion: Callable, device: torch.device) -> tuple[float, float]:
    """Means of loss and accuracy (a fraction), over batches or over examples. Changes nothing in the model."""
    raise NotImplementedError("TODO 6.14: evaluate without gradients")


def epoch_time(start: float, end: float) -> tuple[int, int]:
    """Whole minutes and whole seconds between two times in seconds."""
    raise NotImplementedError("TODO 6.15: split the time that has passed into minutes and seconds")


def fit(
    model: nn.Module,
    train_iterator: DataLoader,
    valid_iterator: DataLoader,
    optimizer: torch.optim.Optimizer,
    criterion: Callable,
    device: torch.device,
    epochs: int,
    checkpoint: str | Path,
) -> list[dict[str, float]]:
    """Train and validate for `epochs` epochs, and end with the weights of the least validation loss.

    The model's state dict is saved to `checkpoint` in each epoch whose validation loss is the best so far, and the best
    one is loaded back at the end. Returns one entry an epoch.
    """
    raise NotImplementedError("TODO 6.16: train, validate, and keep the best epoch's weights")
