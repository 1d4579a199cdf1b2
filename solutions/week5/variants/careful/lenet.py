"""LeNet whose every promise is asserted."""

import torch
import torch.nn.functional as F
from torch import nn


def _check(**numbers):
    for name, number in numbers.items():
        if not isinstance(number, int) or number < (0 if name == "padding" else 1):
            raise ValueError(f"{name} must be a positive int, not {number!r}")


def conv_output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    _check(size=size, kernel_size=kernel_size, stride=stride, padding=padding)
    if size + 2 * padding < kernel_size:
        raise ValueError("the filter does not fit")
    count, left = 1, size + 2 * padding - kernel_size
    while left >= stride:
        count, left = count + 1, left - stride
    return count


def pool_output_size(size: int, kernel_size: int, stride: int | None = None) -> int:
    return conv_output_size(size=size, kernel_size=kernel_size, stride=kernel_size if stride is None else stride)


class LeNet(nn.Module):
    def __init__(self, output_dim: int):
        if not isinstance(output_dim, int) or output_dim < 1:
            raise TypeError("output_dim must be a positive int")
        nn.Module.__init__(self)
        self.conv1 = nn.Conv2d(1, 6, (5, 5), stride=1, padding="valid")
        self.conv2 = nn.Conv2d(6, 16, (5, 5), stride=1, padding="valid")
        self.fc_1 = nn.Linear(in_features=256, out_features=120)
        self.fc_2 = nn.Linear(in_features=120, out_features=84)
        self.fc_3 = nn.Linear(in_features=84, out_features=output_dim)
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def forward(self, images):
        if images.dtype != torch.float32:
            raise TypeError(f"float32 expected, not {images.dtype}")
        if tuple(images.shape[-3:]) != (1, 28, 28) or images.dim() not in (3, 4):
            raise ValueError(f"N×1×28×28 expected, not {tuple(images.shape)}")
        if images.dim() == 3:
            logits, hidden = self(torch.stack([images]))
            return logits, hidden
        self.calls += 1
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        hidden = x.contiguous().view(len(images), 16 * 4 * 4)
        assert hidden.min() >= 0
        return self.fc_3(F.relu(self.fc_2(F.relu(self.fc_1(hidden))))), hidden
