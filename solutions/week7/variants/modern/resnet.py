"""The same as functions and modules as of today: a Sequential body beside the named layers, dataclasses, match."""

from functools import reduce
from operator import mul

import torch
import torch.nn as nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, *, drop: float = 0.0):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding="same" if stride == 1 else 1, stride=stride, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding="same", bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.drop = nn.Dropout2d(drop)
        self.shortcut = None
        if (in_channels, 1) != (out_channels, stride):
            self.shortcut = nn.Sequential()
            self.shortcut.add_module("project", nn.Conv2d(in_channels, out_channels, 1, stride, bias=False))
            self.shortcut.add_module("norm", nn.BatchNorm2d(out_channels))

    def forward(self, x):
        residual = x if self.shortcut is None else self.shortcut(x)
        body = nn.Sequential(self.conv1, self.bn1, nn.ReLU(), self.drop, self.conv2, self.bn2)
        return torch.relu(torch.add(residual, body(x)))


class ResNet(nn.Module):
    def __init__(self, output_dim, blocks=2, width=8):
        super().__init__()
        widths = [width * 2**n for n in range(3)]
        self.conv1 = nn.Conv2d(1, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        stages = []
        for number, (before, after) in enumerate(zip([width, *widths], widths)):
            stage = nn.Sequential()
            for n in range(blocks):
                stage.append(ResidualBlock(after if n else before, after, stride=2 if number and not n else 1))
            stages.append(stage)
        self.stage1, self.stage2, self.stage3 = stages
        self.fc = nn.LazyLinear(output_dim)
        self.fc(torch.zeros(1, widths[-1]))

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = reduce(lambda value, stage: stage(value), (self.stage1, self.stage2, self.stage3), x)
        return self.fc(F.adaptive_avg_pool2d(x, 1).squeeze((2, 3)))


def parameter_table(model):
    seen, rows = [], []
    for name, module in model.named_modules():
        own = [p for _, p in module.named_parameters(recurse=False) if not any(p is other for other in seen)]
        seen += own
        rows.append((name, sum(reduce(mul, p.shape, 1) for p in own)))
    return {name: count for name, count in rows if count}


def conv_flops(in_channels, out_channels, kernel_size, out_height, out_width, groups=1):
    filters = torch.empty(out_channels, in_channels // groups, kernel_size, kernel_size, device="meta")
    return 2 * filters.numel() * out_height * out_width


def count_flops(model, image):
    counts, forwards = [], {}
    kinds = (nn.Conv2d, nn.Linear)
    layers = [m for m in model.modules() if isinstance(m, kinds)]
    modes = {m: m.training for m in model.modules()}

    def counting(layer, plain):
        def forward(x):
            y = plain(x)
            counts.append(2 * y.numel() * layer.weight[0].numel())
            return y

        return forward

    for layer in layers:
        forwards[layer] = layer.forward
        layer.forward = counting(layer, layer.forward)
    try:
        with torch.no_grad():
            model.eval()(image.unsqueeze(0))
    finally:
        for layer in layers:
            del layer.forward
        for module, mode in modes.items():
            module.training = mode
    return sum(counts)
