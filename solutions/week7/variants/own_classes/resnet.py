"""Week 7: a block that is a dataclass, a network that is a Sequential, a copy whose operations are counted."""

from dataclasses import dataclass
import torch
from torch import nn
from collections import OrderedDict
from collections import Counter
from math import prod
import copy, torch


@dataclass(eq=False)
class ResidualBlock(nn.Module):
    in_channels: int
    out_channels: int
    stride: int = 1

    def __post_init__(self):
        super().__init__()
        i, o, s = self.in_channels, self.out_channels, self.stride
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.shortcut = lambda x: x
        if (i, s) != (o, 1):
            self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = nn.functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return torch.clamp_min(torch.stack((y, self.shortcut(x))).sum(0), 0)


class Mittel(nn.Module):
    """Mittel über alle Plätze"""

    def forward(self, x):
        return torch.einsum("nchw->nc", x) / (x.shape[-1] * x.shape[-2])


class ResNet(nn.Sequential):
    def __init__(self, output_dim, blocks=2, width=8):
        def stufe(i, o, s):
            return nn.Sequential(
                OrderedDict((f"{k}", ResidualBlock(i if k == 0 else o, o, s if k == 0 else 1)) for k in range(blocks))
            )

        super().__init__(
            OrderedDict(
                conv1=nn.Conv2d(1, width, 3, padding=1, bias=False),
                bn1=nn.BatchNorm2d(width),
                relu=nn.ReLU(),
                stage1=stufe(width, width, 1),
                stage2=stufe(width, 2 * width, 2),
                stage3=stufe(2 * width, 4 * width, 2),
                mittel=Mittel(),
                fc=nn.Linear(4 * width, output_dim),
            )
        )


def parameter_table(model):
    owner = [n.rsplit(".", 1)[0] if "." in n else "" for n, _ in model.named_parameters()]
    sizes = [p.nelement() for p in model.parameters()]
    c = Counter()
    for o, s in zip(owner, sizes):
        c[o] += s
    return {name: c[name] for name, _ in model.named_modules() if c[name]}


def conv_flops(in_channels, out_channels, kernel_size, out_height, out_width, groups=1):
    return prod((2, in_channels // groups, kernel_size, kernel_size, out_channels, out_height, out_width))


def count_flops(model, image):
    zwilling = copy.deepcopy(model).eval()
    for m in zwilling.modules():
        m._forward_hooks.clear()
    summe = [0]

    def haken(m, ein, aus):
        pro = m.weight.numel() // m.weight.shape[0]
        summe[0] += 2 * pro * aus.numel()

    for m in zwilling.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            m.register_forward_hook(haken)
    with torch.no_grad():
        zwilling(image[None])
    return summe[0]
