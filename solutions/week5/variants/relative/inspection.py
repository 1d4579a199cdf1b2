"""Alles an einem Ort."""

import torch

from .bilder import *  # noqa: F403
from .filter import *  # noqa: F403


def get_predictions(model, loader, device="cpu"):
    was = torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    try:
        model.eval()
        out = []
        for x, y in loader:
            out.append((x.cpu(), y.cpu(), model(x.to(device))[0].log_softmax(1).exp().cpu()))
    finally:
        torch.set_grad_enabled(was)
    return [torch.concat([row[i] for row in out]) for i in range(3)]


def most_incorrect(images, labels, probs, n=25):
    corrects = torch.eq(labels, torch.argmax(probs, 1))
    found = []
    for image, label, prob, correct in zip(images, labels, probs, corrects, strict=True):
        if not correct:
            found.append((image, label, prob))
    found.sort(reverse=True, key=lambda entry: torch.max(entry[2], dim=0).values)
    return found[:n]
