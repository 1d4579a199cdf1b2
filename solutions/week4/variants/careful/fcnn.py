"""Week 4, network."""

from typing import Callable

import torch
from torch import nn
from torch.autograd import grad


def derivative(f: Callable, x: float) -> float:
    with torch.enable_grad():
        leaf = torch.as_tensor(x).to(torch.float32).reshape(()).clone().requires_grad_(True)
        value = f(leaf)
        if not torch.is_tensor(value) or value.grad_fn is None:
            return 1.0 if value is leaf else 0.0
        found = grad(value, leaf, allow_unused=True)[0]
    return float(found) if found is not None else 0.0


class FCNN(nn.Module):
    WIDTHS = (1024, 2048)

    def __init__(self, input_size: int, output_classes: int) -> None:
        super().__init__()
        sizes = [input_size, *self.WIDTHS, output_classes]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.activation = nn.ReLU(inplace=True)
        self.rest = nn.Dropout(0.2)

    def __getattr__(self, name: str):
        if name in ("fc1", "fc2", "fc3"):
            return self.layers[int(name[-1]) - 1]
        return super().__getattr__(name)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        out = torch.flatten(images, 1)
        *hidden, last = self.layers
        for layer in hidden:
            out = self.rest(self.activation(layer(out)))
        return last(out)


def predict(model: nn.Module, image: torch.Tensor, device: torch.device) -> int:
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            scores = model(torch.stack([image]).to(device))
            return int(scores.softmax(-1).squeeze(0).argmax())
    finally:
        model.train(was_training)
