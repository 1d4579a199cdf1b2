"""Trains what the figures show: `python -m solutions.figures.curves` writes `curves.json` anew, in a minute or two."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from fixtures import digits, transfer
from grader.files import write_atomically
from solutions.figures import deep

FILE = Path(__file__).with_name("curves.json")
# Training images, hidden units, learning rate: momentum is 0.9, batches have 16 images.
RECIPES = {"underfitting": (600, 8, 0.0005), "fitting": (1000, 64, 0.01), "overfitting": (64, 512, 0.05)}
EPOCHS, VALID = 25, 360
TUNING_EPOCHS, RATE = 6, 0.002
_LIST = re.compile(r"\[\s+([\d.,\s]+?)\s+\]")  # numbers alone, which take one line


def read() -> dict[str, Any]:
    """What was found when it was last run."""
    return json.loads(FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def learning_curves() -> dict[str, dict[str, list[float]]]:
    """Training and validation loss after each epoch, of networks that differ in data, size and rate."""
    return {name: _fully_connected(*recipe) for name, recipe in RECIPES.items()}


def _fully_connected(count: int, units: int, lr: float) -> dict[str, list[float]]:
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    data = digits.draw(generator)
    images, labels = data.train_images[:count].flatten(1).float() / 255, data.train_labels[:count]
    others, truth = data.test_images[:VALID].flatten(1).float() / 255, data.test_labels[:VALID]
    model = nn.Sequential(nn.Linear(784, units), nn.ReLU(), nn.Linear(units, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    curves: dict[str, list[float]] = {"train": [], "valid": []}
    for _ in range(EPOCHS):
        _epoch(model, optimizer, images, labels, generator)
        with torch.no_grad():
            curves["train"].append(round(F.cross_entropy(model(images), labels).item(), 4))
            curves["valid"].append(round(F.cross_entropy(model(others), truth).item(), 4))
    return curves


def _epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, images: torch.Tensor, labels: torch.Tensor,
    generator: torch.Generator,
) -> None:  # fmt: skip
    model.train()
    for chosen in torch.randperm(len(images), generator=generator).split(16):
        optimizer.zero_grad()
        F.cross_entropy(model(images[chosen]), labels[chosen]).backward()
        optimizer.step()


def fine_tuning() -> dict[str, dict[str, Any]]:
    """How far each layer's weights move, and the test accuracy, for three ways to learn the digits 5 to 9."""
    return {kind: _transfer(kind) for kind in ("tuned", "frozen", "scratch")}


def _transfer(kind: str) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    data = transfer.draw(generator)
    model = transfer.Backbone()
    if kind != "scratch":
        model.load_state_dict(transfer.load_backbone())
        model.classifier[3].reset_parameters()
    model.features.requires_grad_(kind != "frozen")
    slow = RATE / 10 if kind == "tuned" else RATE
    groups = [{"params": model.features.parameters(), "lr": slow}, {"params": model.classifier.parameters()}]
    optimizer = torch.optim.Adam(groups, lr=RATE)
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    before = [layer.weight.detach().clone() for layer in layers]
    images, labels = transfer.normalised(data.train_images), data.train_labels
    for _ in range(TUNING_EPOCHS):
        _epoch(model, optimizer, images, labels, generator)
    model.eval()
    with torch.no_grad():
        accuracy = digits.accuracy(model(transfer.normalised(data.test_images)), data.test_labels)
        moved = [((layer.weight - old).norm() / old.norm()).item() for layer, old in zip(layers, before, strict=True)]
    names = ("conv1", "conv2", "conv3", "conv4", "linear", "head")
    return {
        "accuracy": round(accuracy, 4),
        "moved": {name: round(value, 4) for name, value in zip(names, moved, strict=True)},
    }


def main() -> None:
    torch.set_num_threads(1)
    found: dict[str, Any] = {"learning_curves": learning_curves(), "fine_tuning": fine_tuning()}
    found |= {"depths": deep.depths(), "looks": deep.looks()}
    text = _LIST.sub(lambda numbers: f"[{' '.join(numbers[1].split())}]", json.dumps(found, indent=1))
    write_atomically(FILE, text + "\n", for_others=True)
    for name, curves in found["learning_curves"].items():
        print(f"{name}: training {curves['train'][-1]}, validation {min(curves['valid'])} to {curves['valid'][-1]}")
    for kind, run in found["fine_tuning"].items():
        print(kind, run)
    for name, losses in found["depths"].items():
        print(f"{name}: {losses[0]} to {losses[-1]}")


if __name__ == "__main__":
    main()
