"""What week 7's public checks ask of `gradcam.py`: each probe calls it and returns plain data."""

import matplotlib
import numpy as np
import torch
from torch import nn

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

# 7.12: the map


class Modes(list):
    """The modes that a model was asked in; a copy of the model tells the same list."""

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


class Looking(nn.Module):
    """A convolution, batch normalisation, ReLU and dropout, and a linear layer over all positions."""

    def __init__(self, weights):
        super().__init__()
        width, channels = weights["conv.weight"].shape[:2]
        classes, inputs = weights["head.weight"].shape
        self.features = nn.Sequential(
            nn.Conv2d(channels, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Dropout(0.5), nn.Flatten()
        )
        self.head = nn.Linear(inputs, classes)
        own = self.features[0], self.features[1], self.head
        with torch.no_grad():
            for name, layer in zip(("conv", "norm", "head"), own, strict=True):
                for part in ("weight", "bias", "running_mean", "running_var"):
                    if f"{name}.{part}" in weights:
                        getattr(layer, part).copy_(weights[f"{name}.{part}"])

        self.modes = Modes()

    def forward(self, images):
        self.modes.append(self.training)
        return self.head(self.features(images))


def heatmap(student, weights, image, layer, label=None):
    """The student's map of a model with these weights, in training mode to begin with, for one of its layers."""
    model = Looking(weights)
    options = {} if label is None else {"label": label}
    found = student.gradcam.grad_cam(model, model.features[layer], image, **options)
    return {"map": found, "modes": list(model.modes)}


def heatmap_twice(student, weights, image, gradient):
    """The student's map, for a model in training mode with a gradient, a second one, and what is left at the model."""
    model = Looking(weights)
    model.head.bias.grad = gradient.clone()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    maps = [student.gradcam.grad_cam(model, model.features[2], image) for _ in range(2)]
    return {
        "maps": maps,
        "attached": [bool(one.requires_grad) for one in maps if isinstance(one, torch.Tensor)],
        "hooks": sum(
            len(hooks)
            for module in model.modules()
            for hooks in (
                module._forward_hooks,
                module._forward_pre_hooks,
                module._backward_hooks,
                module._backward_pre_hooks,
            )
        ),
        "modes": [bool(module.training) for module in model.modules()],
        "changed": [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])],
        "gradients": [name for name, parameter in model.named_parameters() if parameter.grad is not None],
        "gradient": model.head.bias.grad,
        "requires_grad": [bool(parameter.requires_grad) for parameter in model.parameters()],
        "recording": torch.is_grad_enabled(),
    }


# 7.13: the plot


def plotted(student, image, heatmap):
    """What `plot_grad_cam` returned and drew, as plain data."""
    shows, before = [], (plt.show, Figure.show)
    plt.close("all")
    other, ax = plt.subplots()
    plt.show = Figure.show = lambda *args, **kwargs: shows.append(1)
    try:
        figure = student.gradcam.plot_grad_cam(image, heatmap)
    finally:
        plt.show, Figure.show = before
    described = {
        "type": type(figure).__name__,
        "figure": isinstance(figure, Figure),
        "own": figure is not other and len(ax.get_children()) == len(plt.figure().subplots().get_children()),
        "shows": len(shows),
        "axes": [],
        "covers": [],
    }
    if isinstance(figure, Figure):
        places = sorted(figure.axes, key=lambda ax: float(ax.get_position().x0))
        described["axes"] = [[pixels(picture) for picture in ax.images] for ax in places]
        described["covers"] = [covered(picture) for picture in places[-1].images] if places else []
    plt.close("all")
    return described


def covered(picture):
    """How much of what lies under a picture it covers, from 0 to 1."""
    array, own = pixels(picture), picture.get_alpha()
    drawn = ~np.isnan(array if array.ndim == 2 else array.mean(-1))
    shares, most = 1.0, 255 if picture.get_array().dtype.kind == "u" else 1
    if array.ndim == 3 and array.shape[-1] == 4:
        shares = array[..., 3] / most
    return float(np.mean(drawn * shares * (1.0 if own is None else own)))


def pixels(picture):
    return np.ma.filled(np.ma.asarray(picture.get_array()).astype(float), np.nan)
