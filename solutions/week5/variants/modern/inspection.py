"""Layers without weights of their own, a table of functions, and the object interface of matplotlib."""

from functools import partial

import torch
import torch.nn.functional as F
from matplotlib import pyplot as plt
from sklearn import metrics

POOLS = {"max": F.max_pool2d, "mean": F.avg_pool2d, "avg": F.avg_pool2d}


def apply_filter(images, kernel, padding=0):
    weight = images.new_tensor(kernel).expand(1, 1, -1, -1)
    if images.dim() == 3:
        return F.conv2d(images[None], weight, padding=padding)[0]
    return F.conv2d(images, weight, padding=padding)


def subsample(images, pool_type, pool_size):
    if (pool := POOLS.get(pool_type.casefold())) is None:
        raise ValueError(f"{pool_type!r} is none of {', '.join(map(repr, POOLS))}")
    return partial(pool, kernel_size=pool_size)(images)


@torch.inference_mode()
def get_predictions(model, loader, device):
    model.eval()
    collected = ([], [], [])
    for images, labels in loader:
        logits, *_ = model(images.to(device))
        for column, value in zip(collected, (images, labels, F.softmax(logits, dim=-1)), strict=True):
            column.append(value.to("cpu", copy=True))
    return tuple(map(torch.cat, collected))


def most_incorrect(images, labels, probs, n):
    wrong = probs.argmax(1).ne(labels)
    images, labels, probs = images[wrong], labels[wrong], probs[wrong]
    order = probs.amax(1).argsort(descending=True)[:n]
    return list(zip(images[order], labels[order], probs[order], strict=True))


def plot_filter(images, kernel, **options):
    count = len(images)
    fig, grid = plt.subplots(2, count, sharex="row", sharey="row")
    grid = grid.reshape(2, count)
    for ax, image in zip(grid[0], images, strict=True):
        ax.imshow(image[0], cmap="gray", **options)
    for ax, image in zip(grid[1], images, strict=True):
        ax.imshow(apply_filter(image, kernel, padding=0)[0].detach(), cmap="gray", **options)
    grid[0, 0].set_ylabel("before")
    grid[1, 0].set_ylabel("after")
    return fig


def plot_confusion_matrix(labels, pred_labels):
    _, ax = plt.subplots(1, 1, figsize=(10, 10))
    cm = metrics.confusion_matrix(labels, pred_labels, normalize="true")
    metrics.ConfusionMatrixDisplay(cm, display_labels=range(10)).plot(ax=ax, colorbar=False, include_values=False)
    ax.tick_params(axis="x", rotation=20)
    return ax.figure


def plot_most_incorrect(incorrect, columns=3):
    rows = (len(incorrect) + columns - 1) // columns
    fig, axes = plt.subplots(rows, columns, figsize=(3 * columns, 3 * rows), layout="tight")
    for i, ax in enumerate(axes.flatten()):
        if i >= len(incorrect):
            fig.delaxes(ax)
            continue
        image, label, probs = incorrect[i]
        rgb = image.expand(3, -1, -1).permute(1, 2, 0)
        ax.imshow(rgb.numpy())
        ax.text(0, -1, f"true: {int(label)} ({probs[int(label)]:.1%}), pred: {probs.argmax()} ({probs.max():.1%})")
    return fig
