"""LeNet as a subclass, its layers made lazily."""

from __future__ import annotations

from base import Classifier
from torch import Tensor, nn

__all__ = ["LeNet", "conv_output_size", "pool_output_size"]


class _Size(int):
    """The size of a map."""

    def slid(self, window: int, step: int, border: int = 0) -> int:
        places, _rest = divmod(self + border + border - window, step)
        return places + 1


def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    return _Size(size).slid(kernel_size, stride, padding)


def pool_output_size(size: int, kernel_size: int, stride: int | None = None) -> int:
    return _Size(size).slid(kernel_size, kernel_size if stride is None else stride)


class LeNet(Classifier):
    def __init__(self, output_dim: int, *, activation: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        for name, width in (("conv1", 6), ("conv2", 16)):
            self.add_module(name, nn.LazyConv2d(width, kernel_size=(5, 5)))
        for number, width in enumerate([120, 84, output_dim], start=1):
            setattr(self, f"fc_{number}", nn.LazyLinear(width))
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)
        self.relu = activation(inplace=True)
        self.register_buffer("mean", None)

    def features(self, images: Tensor) -> Tensor:
        for convolution in (self.conv1, self.conv2):
            images = self.pool(self.relu(convolution(images)))
        return images

    def classify(self, hidden: Tensor) -> Tensor:
        *inner, last = (getattr(self, f"fc_{n}") for n in (1, 2, 3))
        for layer in inner:
            hidden = self.relu(layer(hidden))
        return last(hidden)
