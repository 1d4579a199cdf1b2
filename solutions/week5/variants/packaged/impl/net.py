"""LeNet with one table of layers."""

import torch
from torch import nn

sizes = {}


def size(name):
    def register(function):
        sizes[name] = function
        return function

    return register


@size("conv")
def conv(size, kernel_size, stride=1, padding=0):
    meta = nn.Conv1d(1, 1, kernel_size, stride, padding, device="meta")
    return meta(torch.empty(1, 1, size, device="meta")).shape[-1]


@size("pool")
def pool(size, kernel_size, stride=None):
    return nn.MaxPool1d(kernel_size, stride)(torch.zeros(1, 1, size)).size(2)


class LeNet(nn.Module):
    LAYERS = {"conv1": (nn.Conv2d, 1, 6, 5), "conv2": (nn.Conv2d, 6, 16, 5), "fc_1": (nn.Linear, 256, 120)}

    def __init__(self, output_dim):
        super().__init__()
        table = {**self.LAYERS, "fc_2": (nn.Linear, 120, 84), "fc_3": (nn.Linear, 84, output_dim)}
        for name, (kind, *arguments) in table.items():
            setattr(self, name, kind(*arguments))
        self.cache = {}
        self.conv2.register_forward_hook(self.remember)

    def remember(self, module, inputs, output):
        self.cache["hidden"] = nn.functional.max_pool2d(output, 2).relu().flatten(1)

    def forward(self, images):
        if images.dim() < 4:
            images = images.unsqueeze(0)
        self.conv2(nn.functional.max_pool2d(self.conv1(images).relu(), 2))
        hidden = self.cache.pop("hidden")
        return self.fc_3(self.fc_2(self.fc_1(hidden).relu()).relu()), hidden
