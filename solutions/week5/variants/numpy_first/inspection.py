"""Filters by einsum over windows, figures without pyplot."""

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.lib.stride_tricks import sliding_window_view


def apply_filter(images, kernel):
    kernel = np.array(kernel, dtype=np.float64)
    windows = sliding_window_view(np.asarray(images), kernel.shape, axis=(2, 3))
    return torch.tensor(np.einsum("nchwij,ij->nchw", windows, kernel), dtype=torch.float32)


def subsample(images, pool_type, pool_size):
    n, c, h, w = images.shape
    h, w = h // pool_size, w // pool_size
    cells = images[:, :, : h * pool_size, : w * pool_size].reshape(n, c, h, pool_size, w, pool_size)
    choices = {"max": lambda: cells.amax(dim=(3, 5)), "mean": lambda: cells.mean(dim=(3, 5))}
    choices["avg"] = choices["mean"]
    try:
        reduce = choices[pool_type.lower()]
    except KeyError:
        raise ValueError("unknown pooling", pool_type, "choose one of", sorted(choices)) from None
    return reduce()


def get_predictions(model, loader, device):
    images, labels, probs = None, None, None
    model.eval()
    with torch.inference_mode():
        for x, y in loader:
            scores, _ = model(x.to(device))
            e = np.exp(scores.cpu().numpy() - scores.cpu().numpy().max(axis=1, keepdims=True))
            p = torch.from_numpy(e / e.sum(axis=1, keepdims=True))
            images = x if images is None else torch.cat((images, x))
            labels = y if labels is None else torch.cat((labels, y))
            probs = p if probs is None else torch.vstack((probs, p))
    return images, labels, probs


def most_incorrect(images, labels, probs, n):
    p = probs.numpy()
    wrong = np.flatnonzero(p.argmax(axis=1) != labels.numpy())
    order = wrong[np.argsort(-p.max(axis=1)[wrong], kind="stable")][:n]
    return [(images[int(i)], labels[int(i)], probs[int(i)]) for i in order]


def plot_filter(images, kernel):
    n = len(images)
    fig = Figure(figsize=(2 * n, 4))
    for column in range(n):
        above = fig.add_subplot(2, n, column + 1)
        below = fig.add_subplot(2, n, n + column + 1)
        above.imshow(images[column].permute(1, 2, 0).numpy(), cmap="bone")
        below.imshow(apply_filter(images[column : column + 1], kernel)[0, 0].numpy(), cmap="bone")
    return fig


def plot_confusion_matrix(labels, pred_labels):
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (np.asarray(labels), np.asarray(pred_labels)), 1)
    fig = Figure(figsize=(8, 8))
    ax = fig.add_subplot()
    ax.imshow(counts / counts.sum() * 100)
    for (row, column), count in np.ndenumerate(counts):
        ax.text(column, row, f"{count}\n{count / counts.sum():.0%}", ha="center", va="center")
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    return fig


def plot_most_incorrect(incorrect):
    fig = Figure(figsize=(10, 8))
    columns = int(np.ceil(np.sqrt(len(incorrect))))
    rows = int(np.ceil(len(incorrect) / columns))
    for i, (image, label, probs) in enumerate(incorrect, 1):
        ax = fig.add_subplot(rows, columns, i)
        ax.imshow(image.view(28, 28).numpy(), cmap="bone")
        ax.set_title(f"true {int(label)}, said {int(np.argmax(probs.numpy()))}")
        ax.set_axis_off()
    fig.subplots_adjust(hspace=0.4)
    return fig
