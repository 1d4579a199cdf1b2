"""Bilder zeichnen."""

import math

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import torch

from .filter import apply_filter


def gitter(anzahl, spalten):
    zeilen = math.ceil(anzahl / spalten)
    fig, achsen = plt.subplots(nrows=zeilen, ncols=spalten)
    achsen = [achsen] if anzahl == spalten == 1 else list(achsen.ravel())
    for leer in achsen[anzahl:]:
        fig.delaxes(leer)
    return fig, achsen[:anzahl]


def plot_filter(images, kernel, cmap="gray"):
    n = images.shape[0]
    mosaic = [[f"o{i}" for i in range(n)], [f"f{i}" for i in range(n)]]
    fig, axes = plt.subplot_mosaic(mosaic, figsize=(n * 2, 4))
    for i in range(n):
        axes[f"o{i}"].imshow(images[i].squeeze(), cmap=cmap, vmin=0, vmax=1)
        axes[f"f{i}"].matshow(apply_filter(images, kernel)[i].squeeze(), cmap=cmap)
    plt.tight_layout()
    return fig


def plot_confusion_matrix(labels, pred_labels, classes=10):
    matrix = torch.bincount(labels * classes + pred_labels, minlength=classes**2).view(classes, classes)
    _, ax = plt.subplots()
    ax.pcolormesh(matrix.flip(0), cmap="Greens")
    ax.set(xlabel="vorhergesagt", ylabel="wahr", yticklabels=[])
    return plt.gcf()


def plot_most_incorrect(incorrect):
    fig, achsen = gitter(len(incorrect), min(4, len(incorrect)))
    for ax, (bild, wahr, p) in zip(achsen, incorrect, strict=True):
        ax.imshow(bild[0].numpy(), cmap="gray", interpolation="nearest")
        oben = torch.topk(p, 2)
        ax.set_xlabel(f"wahr {wahr} p={p[wahr]:.2f}, statt {oben.indices[0]} p={oben.values[0]:.2f}")
    fig.suptitle("Fehler")
    return fig
