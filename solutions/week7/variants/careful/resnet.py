"""Residual networks whose every promise is asserted."""

from __future__ import annotations

import contextlib

import torch
from torch import nn


def conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, kernel_size=(3, 3), stride=(stride, stride), padding=(1, 1), bias=False)


class Projection(nn.Sequential):
    """The shortcut of a block that changes the shape."""

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))


class ResidualBlock(nn.Module):
    expansion = 1

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, activation: nn.Module | None = None):
        if min(in_channels, out_channels, stride) < 1:
            raise ValueError("channels and stride must be positive")
        super(ResidualBlock, self).__init__()
        self.conv1 = conv3x3(in_channels, out_channels, stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = conv3x3(out_channels, out_channels)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.relu = activation or nn.ReLU(inplace=True)
        self.shortcut = nn.Sequential()
        if not (stride == 1 and in_channels == out_channels * self.expansion):
            self.shortcut = Projection(in_channels, out_channels, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.dim() == 4, x.shape
        identity = self.shortcut(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        assert out.shape == identity.shape
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self, output_dim: int, blocks: int = 2, width: int = 8):
        super().__init__()
        self.in_channels = width
        self.conv1 = conv3x3(1, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.stage1 = self._make_layer(width, blocks, stride=1)
        self.stage2 = self._make_layer(width * 2, blocks, stride=2)
        self.stage3 = self._make_layer(width * 4, blocks, stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(0.1)
        self.fc = nn.Linear(self.in_channels, output_dim)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, ResidualBlock):
                assert module.bn2.weight.shape == module.bn1.weight.shape

    def _make_layer(self, channels: int, blocks: int, stride: int) -> nn.Sequential:
        layers = []
        for step in [stride] + [1] * (blocks - 1):
            layers.append(ResidualBlock(self.in_channels, channels, step))
            self.in_channels = channels * ResidualBlock.expansion
        return nn.Sequential(*layers)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn1(self.conv1(images)))
        for stage in (self.stage1, self.stage2, self.stage3):
            x = stage(x)
        return self.fc(self.dropout(torch.flatten(self.avgpool(x), 1)))


def parameter_table(model: nn.Module) -> dict[str, int]:
    seen: set[int] = set()
    table: dict[str, int] = {}
    for name, module in model.named_modules():
        fresh = [p for p in module._parameters.values() if p is not None and id(p) not in seen]
        seen.update(id(p) for p in fresh)
        if fresh:
            table[name] = sum(p.numel() for p in fresh)
    assert sum(table.values()) == sum(p.numel() for p in model.parameters())
    return table


def conv_flops(in_channels, out_channels, kernel_size, out_height, out_width, groups=1):
    if in_channels % groups:
        raise ValueError("groups must divide in_channels")
    per_pixel = (in_channels // groups) * kernel_size * kernel_size
    pixels = out_channels * out_height * out_width
    return pixels * per_pixel + pixels * per_pixel


@contextlib.contextmanager
def evaluating(model: nn.Module):
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, mode in modes:
            module.train(mode) if not list(module.children()) else setattr(module, "training", mode)


def count_flops(model: nn.Module, image: torch.Tensor) -> int:
    total = {"flops": 0}

    def on_convolution(layer, _, output):
        channels, height, width = output.shape[1:]
        area = layer.kernel_size[0] * layer.kernel_size[1]
        total["flops"] += 2 * channels * height * width * area * layer.in_channels // layer.groups

    def on_linear(layer, _, output):
        total["flops"] += 2 * layer.in_features * output.numel()

    handles = []
    try:
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                handles.append(module.register_forward_hook(on_convolution))
            elif isinstance(module, nn.Linear):
                handles.append(module.register_forward_hook(on_linear))
        with evaluating(model), torch.inference_mode():
            model(torch.stack([image]))
    finally:
        for handle in handles:
            handle.remove()
    return total["flops"]
