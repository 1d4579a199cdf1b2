"""Probes `coursework.py` in the ways in which the weeks' probes use students' modules."""

from __future__ import annotations

import io
import random
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn


def forward(student: Any, images: torch.Tensor) -> Any:
    """Put weights in, take them out, and compute outputs in evaluation mode."""
    model = student.coursework.Network()
    model.load_state_dict({name: tensor.clone() for name, tensor in model.state_dict().items()})
    model.eval()
    centre = student.coursework.Centre(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.4)
        logits, hidden = model(images)
        centred = centre(images)
    shapes = {name: list(tensor.shape) for name, tensor in model.named_parameters()}
    return {"logits": logits, "hidden": hidden, "again": model(images)[0], "centred": centred, "shapes": shapes}


def statistics(student: Any, images: torch.Tensor) -> Any:
    """Compute what checks compute of data, and draw at random."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(2))
    return {
        "mean": float(images.mean()),
        "std": images.std(dim=(0, 2, 3)),
        "range": [images.amin(), images.amax()],
        "bytes": (images * 255).clamp(0, 255).to(torch.uint8),
        "sorted": images.flatten().sort().values[:5],
        "top": images.flatten(1).topk(3).indices,
        "stack": torch.stack(images[order].split(5)[:2]),
        "draws": [random.random(), float(np.random.rand()), float(torch.rand(1))],
        "array": images.numpy().mean(axis=0),
        "product": torch.ones(3, 4) @ torch.ones(4, 2),
        "plain": [tuple(images.shape), "text", None, True],
    }


def training(student: Any, images: torch.Tensor, labels: torch.Tensor) -> Any:
    """Train for an epoch with each optimizer, and evaluate."""
    network = student.coursework
    model = network.Network()
    train, valid = network.loaders(images, labels)
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), torch.optim.Adam(model.parameters())]
    losses = [network.train(model, train, optimizer, nn.CrossEntropyLoss()) for optimizer in optimizers]
    accuracy, probabilities = network.evaluate(model, valid)
    return {"losses": losses, "accuracy": accuracy, "probabilities": probabilities, "state": dict(model.state_dict())}


def gradients(student: Any, images: torch.Tensor, labels: torch.Tensor) -> Any:
    """Compute gradients by autograd, of a network and of a formula."""
    x = images.clone().requires_grad_()
    nn.functional.cross_entropy(student.coursework.Network()(x)[0], labels).backward()
    z = torch.linspace(-1, 1, 5, requires_grad=True)
    (slope,) = torch.autograd.grad((z**3).sum() + z.exp().sum(), z)
    return {"images": x.grad, "slope": slope}


def figures(student: Any, images: torch.Tensor) -> None:
    """Draw images, curves and bars with their texts."""
    fig, axes = plt.subplots(2, 3, squeeze=False, figsize=(4, 3))
    for axis, image in zip(axes.flat, images, strict=False):
        axis.imshow(image[0], cmap="gray")
        axis.set_title("true: 1 (99%)")
        axis.axis("off")
    axes[0, 0].plot([1, 2, 3], label="loss")
    axes[0, 1].bar([1, 2], [3, 4])
    axes[0, 0].legend()
    fig.tight_layout()
    fig.savefig(io.BytesIO(), format="png")
    plt.close(fig)


def confusion(student: Any, labels: torch.Tensor) -> Any:
    """Draw scikit-learn's confusion matrix."""
    from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

    fig, ax = plt.subplots(figsize=(3, 3))
    matrix = confusion_matrix(labels.numpy(), labels.numpy())
    ConfusionMatrixDisplay(matrix).plot(ax=ax, cmap="Blues")
    fig.canvas.draw()
    plt.close(fig)
    return matrix


def transforms(student: Any, images: torch.Tensor) -> Any:
    """Send Pillow's images through a pipeline of torchvision's."""
    from PIL import Image
    from torchvision import transforms as t

    pipeline = t.Compose(
        [t.RandomRotation(5, fill=(0,)), t.RandomCrop(6, padding=1), t.ToTensor(), t.Normalize([0.1], [0.3])]
    )
    return [pipeline(Image.fromarray((image[0].numpy() * 255).astype(np.uint8))) for image in images[:2]]


def raising(student: Any) -> None:
    """Raise an exception in the student's code."""
    student.coursework.not_done()
