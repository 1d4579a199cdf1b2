"""Week 4, part 2: seeds, data, and the training loop."""

import random
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


def set_seed(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch (CUDA too where present)."""
    # BEGIN SOLUTION 4.1: seed every generator
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.cuda.manual_seed_all(seed)
    # END SOLUTION


def pixel_stats(images: np.ndarray | torch.Tensor) -> tuple[float, float]:
    """Mean and standard deviation of all pixels of a uint8 N×H×W stack, after scaling to [0, 1]."""
    # BEGIN SOLUTION 4.3: scale, then average over all pixels
    pixels = torch.as_tensor(images).double() / 255
    return pixels.mean().item(), pixels.std().item()
    # END SOLUTION


def split_train_valid(dataset: Dataset, train_ratio: float = 0.9, seed: int = 42) -> tuple[Dataset, Dataset]:
    """Two disjoint random parts `(training, validation)` that together are the dataset.

    The first has `int(len * train_ratio)` items. The same seed gives the same split.
    """
    # BEGIN SOLUTION 4.4: split with a generator of your own
    n_train = int(len(dataset) * train_ratio)
    generator = torch.Generator().manual_seed(seed)
    train_part, valid_part = random_split(dataset, [n_train, len(dataset) - n_train], generator=generator)
    return train_part, valid_part
    # END SOLUTION


def make_loaders(
    train: Dataset, valid: Dataset, test: Dataset, batch_size: int = 64
) -> tuple[DataLoader, DataLoader, DataLoader]:
    """A loader for each dataset: training shuffles, the others keep their order, none drops anything."""
    # BEGIN SOLUTION 4.5: make the three loaders
    train_loader = DataLoader(train, batch_size=batch_size, shuffle=True)
    valid_loader = DataLoader(valid, batch_size=batch_size)
    test_loader = DataLoader(test, batch_size=batch_size)
    return train_loader, valid_loader, test_loader
    # END SOLUTION


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
    # BEGIN SOLUTION 4.7: one epoch of training
    model.train()
    losses = []
    for batch, (images, labels) in enumerate(train_loader):
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        if batch % log_interval == 0:
            losses.append(loss.item())
    return losses
    # END SOLUTION


def validate(
    model: nn.Module,
    device: torch.device,
    loader: DataLoader,
    criterion: Callable,
    dataset_name: str = "Validation",
) -> tuple[float, float]:
    """Mean loss (over batches or examples), accuracy over all examples in percent. Changes nothing in the model."""
    # BEGIN SOLUTION 4.8: evaluate without gradients
    model.eval()
    total_loss, correct = 0.0, 0
    with torch.no_grad():
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            logits = model(images)
            total_loss += criterion(logits, labels).item()
            correct += (logits.argmax(dim=1) == labels).sum().item()
    loss, accuracy = total_loss / len(loader), 100.0 * correct / len(loader.dataset)
    print(f"{dataset_name}: loss {loss:.4f}, accuracy {accuracy:.2f} %")
    return loss, accuracy
    # END SOLUTION


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
    # BEGIN SOLUTION 4.9: train and validate, epoch by epoch
    history: dict[str, list[float]] = {"train_losses": [], "valid_losses": [], "valid_accuracies": []}
    for epoch in range(1, n_epochs + 1):
        history["train_losses"] += train(model, device, train_loader, optimizer, criterion, epoch)
        loss, accuracy = validate(model, device, valid_loader, criterion)
        history["valid_losses"].append(loss)
        history["valid_accuracies"].append(accuracy)
    return history
    # END SOLUTION
