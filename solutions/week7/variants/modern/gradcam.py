"""Grad-CAM by a gradient of the layer's output that is kept, on a copy of the model."""

import copy

import matplotlib.pyplot as plt
import torch
from torchvision.transforms import functional as TF


def grad_cam(model, layer, image, label=None):
    number = [id(module) for module in model.modules()].index(id(layer))
    twin = copy.deepcopy(model).eval().requires_grad_(True)
    watched = list(twin.modules())[number]
    kept = []
    watched.register_forward_hook(lambda _, __, output: kept.append(output))
    with torch.enable_grad():
        logits = twin(image.unsqueeze(0))
        kept[0].retain_grad()
        chosen = logits.argmax() if label is None else torch.tensor(label)
        logits.flatten()[chosen].backward()
    weights = kept[0].grad.mean(dim=(-2, -1))
    cam = torch.relu(torch.tensordot(weights[0], kept[0].detach()[0], dims=1))
    return torch.nan_to_num(cam / cam.max(), nan=0.0)


def plot_grad_cam(image, heatmap):
    figure, axes = plt.subplots(ncols=2, layout="constrained")
    shown = TF.to_pil_image(image)
    large = TF.resize(heatmap[None], list(image.shape[1:]), antialias=True)[0]
    for ax in axes:
        ax.imshow(shown, cmap="gray" if image.shape[0] == 1 else None)
        ax.set_axis_off()
    axes[1].imshow(large, cmap="viridis", alpha=0.5, vmin=0, vmax=1)
    return figure
