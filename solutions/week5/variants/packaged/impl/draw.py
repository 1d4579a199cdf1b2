"""Figures."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay

from . import look


class Sheet(Figure):
    """A figure that can be saved without a window."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        FigureCanvasAgg(self)


def plot_filter(images, kernel):
    sheet = Sheet()
    axes = sheet.subplots(2, len(images), squeeze=False)
    filtered = [look.apply_filter(image.unsqueeze(0), np.array(kernel).tolist())[0] for image in images]
    for ax, picture in zip(axes.flat, [*images, *filtered], strict=True):
        ax.imshow(picture[0].numpy(), cmap="viridis")
    return sheet


def plot_confusion_matrix(labels, pred_labels):
    fig, ax = plt.subplots()
    ConfusionMatrixDisplay.from_predictions(
        labels.numpy(), pred_labels.numpy(), ax=ax, colorbar=False, normalize="pred"
    )
    plt.close(fig)
    return fig


def plot_most_incorrect(incorrect):
    n = len(incorrect)
    rows = max(int(n**0.5), 1)
    fig = plt.figure(figsize=(20, 10))
    for i in range(n):
        ax = fig.add_subplot(rows, -(-n // rows), i + 1)
        image, label, probs = incorrect[i]
        ax.imshow((image * 255).byte()[0], cmap="gray")
        ax.set_title("{}: {:.3f}".format(label, max(probs.tolist())))  # noqa: UP032
        ax.axis("off")
    plt.subplots_adjust(hspace=0.5)
    return fig
