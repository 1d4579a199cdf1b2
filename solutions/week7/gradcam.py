"""Week 7, part 3: where a network looks."""

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import nn


def grad_cam(model: nn.Module, layer: nn.Module, image: torch.Tensor, label: int | None = None) -> torch.Tensor:
    """Grad-CAM of one image C×H×W: a map h×w, as large as the output of `layer`, with values in [0, 1].

    Each channel of the layer's output counts as much as the mean over its positions of the gradient of the logit of
    `label`, by default of the predicted class. Of the channels' weighted sum negative values become 0, and the rest is
    divided by the greatest value; a map without a positive value is 0 everywhere. The model is judged in evaluation
    mode, even if its parameters are frozen; modes, gradients and hooks are afterwards as they were.
    """
    # BEGIN SOLUTION 7.12: weight the layer's channels by the gradient of one logit
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    modes = {module: module.training for module in model.modules()}
    model.eval()
    with torch.enable_grad():
        logits = model(image.detach().clone().unsqueeze(0).requires_grad_())
        if label is None:
            label = logits.argmax(dim=1).item()
        (gradient,) = torch.autograd.grad(logits[0, label], kept[0])
    hook.remove()
    for module, training in modes.items():
        module.training = training
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    heatmap = F.relu((weights * kept[0]).sum(dim=1))[0].detach()
    return heatmap / heatmap.max() if heatmap.max() > 0 else heatmap
    # END SOLUTION


def plot_grad_cam(image: torch.Tensor, heatmap: torch.Tensor) -> Figure:
    """A figure of two axes: the image (1×H×W or 3×H×W), and the image under the heatmap h×w, enlarged to H×W."""
    # BEGIN SOLUTION 7.13: draw the image, and beside it the image under its heatmap
    size = image.shape[-2:]
    large = F.interpolate(heatmap[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
    picture = image.permute(1, 2, 0).squeeze(-1)
    fig, axes = plt.subplots(1, 2, figsize=(5, 2.7))
    for ax in axes:
        ax.imshow(picture, cmap="gray")
        ax.axis("off")
    axes[1].imshow(large, cmap="jet", alpha=0.5)
    return fig
    # END SOLUTION
