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
    raise NotImplementedError("TODO 7.12: weight the layer's channels by the gradient of one logit")


def plot_grad_cam(image: torch.Tensor, heatmap: torch.Tensor) -> Figure:
    """A figure of two axes: the image (1×H×W or 3×H×W), and the image under the heatmap h×w, enlarged to H×W."""
    raise NotImplementedError("TODO 7.13: draw the image, and beside it the image under its heatmap")
