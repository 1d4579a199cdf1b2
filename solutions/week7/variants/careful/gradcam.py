"""Grad-CAM with hooks that clean up after themselves, whatever happens."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn


class Watcher:
    def __init__(self, layer):
        self.output = None
        self.handle = layer.register_forward_hook(self)

    def __call__(self, module, inputs, output):
        self.output = output

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.handle.remove()


def grad_cam(model: nn.Module, layer: nn.Module, image: torch.Tensor, label: int | None = None) -> torch.Tensor:
    modes = [module.training for module in model.modules()]
    model.eval()
    try:
        with Watcher(layer) as watcher, torch.set_grad_enabled(True):
            inputs = image.detach().clone()[None]
            inputs.requires_grad = True
            logits = model(inputs)
            chosen = int(torch.argmax(logits, 1)) if label is None else int(label)
            slopes = torch.autograd.grad(outputs=logits[:, chosen].sum(), inputs=watcher.output)[0][0]
    finally:
        for module, mode in zip(model.modules(), modes):
            module.training = mode
    maps = watcher.output.detach()[0]
    total = torch.zeros(maps.shape[1:])
    for channel, slope in zip(maps, slopes):
        total = total + float(slope.mean()) * channel
    total = torch.maximum(total, torch.zeros_like(total))
    most = float(total.max())
    return total / most if most > 0 else total


def plot_grad_cam(image: torch.Tensor, heatmap: torch.Tensor):
    height, width = image.shape[1:]
    resize = nn.Upsample(size=(height, width), mode="bicubic", align_corners=True)
    large = resize(heatmap.reshape(1, 1, *heatmap.shape)).clamp(0, 1).squeeze().numpy()
    colours = np.moveaxis(image.expand(3, -1, -1).numpy(), 0, -1)
    fig = plt.figure()
    left, right = fig.add_subplot(1, 2, 1), fig.add_subplot(1, 2, 2)
    left.imshow(colours)
    left.set_title("image")
    right.imshow(colours)
    right.imshow(plt.get_cmap("hot")(large), alpha=0.6)
    fig.tight_layout()
    return fig
