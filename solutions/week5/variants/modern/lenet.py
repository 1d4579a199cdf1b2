"""LeNet with type aliases, own initial weights and checked shapes."""

from collections import OrderedDict
from typing import Final, TypeAlias

import torch
from torch import nn
from torch.nn import init

Pair: TypeAlias = tuple[torch.Tensor, torch.Tensor]
PIXELS: Final = 28


def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, /) -> int:
    positions = range(0, size + 2 * padding - kernel_size + 1, stride)
    return len(positions)


conv_output_size = (lambda f: lambda size, kernel_size, stride=1, padding=0: f(size, kernel_size, stride, padding))(
    conv_output_size
)


def pool_output_size(size: int, kernel_size: int, stride: int | None = None) -> int:
    return conv_output_size(size, kernel_size, stride if stride else kernel_size)


def block(convolution: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(OrderedDict(conv=convolution, pool=nn.MaxPool2d(2), act=nn.ReLU()))


class LeNet(nn.Module):
    conv1: nn.Conv2d
    conv2: nn.Conv2d

    def __init__(self, output_dim: int, dropout: float = 0.0, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.output_dim = output_dim
        self.block_1, self.block_2 = block(nn.Conv2d(1, 6, 5)), block(nn.Conv2d(6, 16, 5))
        self.fc_1, self.fc_2, self.fc_3 = nn.Linear(4 * 4 * 16, 120), nn.Linear(120, 84), nn.Linear(84, output_dim)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.conv1, self.conv2 = self.block_1.conv, self.block_2.conv
        self.apply(self._start)

    @staticmethod
    def _start(module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d | nn.Linear):
            init.xavier_uniform_(module.weight, gain=init.calculate_gain("relu"))
            init.constant_(module.bias, 0.01)

    def extra_repr(self) -> str:
        return f"{self.output_dim} classes"

    def forward(self, x: torch.Tensor, return_hidden: bool = True) -> Pair | torch.Tensor:
        match x.shape:
            case (_, 1, height, width) | (1, height, width):
                assert height == width == PIXELS
        x = x.reshape(-1, 1, PIXELS, PIXELS)
        hidden = self.block_2(self.block_1(x)).flatten(start_dim=-3)
        y = torch.relu(self.fc_1(self.dropout(hidden)))
        y = torch.clamp(self.fc_2(y), min=0)
        return (self.fc_3(y), hidden) if return_hidden else self.fc_3(y)
