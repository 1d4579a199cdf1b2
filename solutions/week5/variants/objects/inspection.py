"""Looking at filters and mistakes, with layers and small classes."""

from __future__ import annotations

import enum
import heapq
from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from sklearn.metrics import ConfusionMatrixDisplay
from torch import Tensor, nn


class Pooling(enum.Enum):
    MAX = nn.MaxPool2d
    MEAN = nn.AvgPool2d
    AVG = nn.AvgPool2d


class UnknownPooling(ValueError):
    """Nothing of that name."""

    def __str__(self) -> str:
        return "choose a pooling: " + ", ".join(Pooling.__members__)


class Mistake(NamedTuple):
    image: Tensor
    label: int
    probs: Tensor


def apply_filter(images: Tensor, kernel, *, bias: bool = False) -> Tensor:
    layer = nn.Conv2d(1, 1, len(kernel), bias=bias)
    layer.weight.data[0, 0] = torch.tensor(kernel)
    return layer(images)


def subsample(images: Tensor, pool_type: str, pool_size: int) -> Tensor:
    name = pool_type.upper()
    if name not in Pooling.__members__:
        raise UnknownPooling(pool_type)
    return Pooling[name].value(pool_size)(images)


def get_predictions(model, loader, device):
    model.eval()
    with torch.no_grad():
        triples = [(x, y, torch.softmax(model(x.to(device))[0], dim=-1).to("cpu")) for x, y in loader]
    return tuple(torch.cat(parts, dim=0) for parts in zip(*triples, strict=True))


def most_incorrect(images, labels, probs, n):
    mistakes = [
        Mistake(image, int(label), p)
        for image, label, p in zip(images, labels, probs, strict=True)
        if p.argmax() != label
    ]
    return heapq.nlargest(n, mistakes, key=lambda mistake: mistake.probs.max())


def plot_filter(images, kernel):
    with torch.no_grad():
        filtered = apply_filter(images=images, kernel=kernel, bias=False)
    fig = plt.figure(layout="constrained")
    upper, lower = fig.subfigures(2, 1)
    for part, pictures, title in ((lower, filtered, "filtered"), (upper, images, "original")):
        part.suptitle(title)
        for ax, picture in zip(part.subplots(1, len(images), squeeze=False)[0], pictures, strict=True):
            ax.imshow(picture[0], cmap="gray")
    return fig


def plot_confusion_matrix(labels, pred_labels):
    display = ConfusionMatrixDisplay.from_predictions(
        labels, pred_labels, labels=range(10), display_labels=[str(n) for n in range(10)], colorbar=False
    )
    display.ax_.set_title("confusion")
    return display.figure_


def plot_most_incorrect(incorrect):
    fig = plt.figure(figsize=(12, 2))
    grid = fig.add_gridspec(1, len(incorrect))
    for cell, mistake in zip(grid, map(Mistake._make, incorrect), strict=True):
        ax = fig.add_subplot(cell)
        ax.imshow(mistake.image.squeeze(), cmap="gray_r", origin="upper")
        ax.set(title=f"{mistake.label}≠{mistake.probs.argmax().item()}", xticks=[], yticks=[])
    return fig
