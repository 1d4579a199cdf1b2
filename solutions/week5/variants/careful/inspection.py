"""Inspection that asserts what the lesson promises."""

import matplotlib.pyplot as plt
import torch
from sklearn.metrics import confusion_matrix
from torch import nn


def apply_filter(images, kernel):
    assert images.dim() == 4 and images.shape[1] == 1 and all(len(row) == len(kernel) for row in kernel)
    k = len(kernel)
    height, width = images.shape[2] - k + 1, images.shape[3] - k + 1
    result = torch.zeros(len(images), 1, height, width, dtype=images.dtype)
    for row in range(k):
        for column in range(k):
            result += kernel[row][column] * images[:, :, row : row + height, column : column + width]
    return result


def subsample(images, pool_type, pool_size):
    kind = str(pool_type).upper()
    if kind == "MAX":
        layer = nn.MaxPool2d(pool_size)
    elif kind in {"MEAN", "AVG"}:
        layer = nn.AvgPool2d(pool_size)
    else:
        raise ValueError("pool_type must be one of MAX, MEAN, AVG")
    return layer(images)


def get_predictions(model, loader, device):
    rows = []
    model.eval()
    softmax = nn.Softmax(dim=1)
    for images, labels in loader:
        with torch.no_grad():
            probs = softmax(model(images.to(device))[0])
        assert torch.allclose(probs.sum(1), torch.ones(len(probs)), atol=1e-4)
        rows += list(zip(images.unbind(), labels.unbind(), probs.cpu().unbind(), strict=True))
    return tuple(torch.stack(column) for column in zip(*rows, strict=True))


def most_incorrect(images, labels, probs, n):
    assert len(images) == len(labels) == len(probs) and n > 0
    assert torch.allclose(probs.sum(1), torch.ones(len(probs)), atol=1e-3)
    found = []
    for i in range(len(labels)):
        if int(probs[i].argmax()) != int(labels[i]):
            found.append((-float(probs[i].max()), i))
    return [(images[i].clone(), int(labels[i]), probs[i].clone()) for _, i in sorted(found)[:n]]


def plot_filter(images, kernel):
    assert images.dim() == 4 and images.shape[1] == 1
    filtered = apply_filter(images, kernel)
    assert filtered.shape[2] == images.shape[2] - len(kernel) + 1
    fig = plt.figure(figsize=(2 * len(images), 4))
    for place, picture in enumerate([*images, *filtered], start=1):
        ax = plt.subplot(2, len(images), place)
        ax.imshow(picture.numpy().transpose(1, 2, 0), cmap="gray")
        plt.axis("off")
    return fig


def plot_confusion_matrix(labels, pred_labels):
    assert labels.shape == pred_labels.shape and labels.dim() == 1
    assert 0 <= int(labels.min()) and int(labels.max()) <= 9  # noqa: SIM300
    counts = confusion_matrix(labels.numpy(), pred_labels.numpy(), labels=list(range(10)))
    fig = plt.figure()
    plt.imshow(counts, cmap="Blues")
    for row in range(10):
        for column in range(10):
            plt.text(column, row, str(counts[row, column]), ha="center", va="center")
    plt.xticks(range(10))
    plt.yticks(range(10))
    return fig


def plot_most_incorrect(incorrect):
    assert isinstance(incorrect, list) and len(incorrect) > 0
    for image, label, probs in incorrect:
        assert image.shape == (1, 28, 28) and 0 <= int(label) < len(probs)
        assert abs(float(probs.sum()) - 1) < 1e-3 and int(probs.argmax()) != int(label)
    fig = plt.figure(figsize=(12, 12))
    for place, (image, label, probs) in enumerate(incorrect):
        ax = plt.subplot2grid((len(incorrect) // 5 + 1, 5), divmod(place, 5), fig=fig)
        ax.imshow(image.reshape(28, 28), cmap="gray")
        ax.set_title(f"{label} not {int(probs.argmax())}")
    return fig
