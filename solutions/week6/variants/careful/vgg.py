"""Week 6, VGG, from torchvision's own layers."""

import math

import torch
from torch import nn

CONFIGURATION = {"A": [[64], [128], [256, 256], [512, 512], [512, 512]]}


def adaptive_pool_filter_size(input_size: int, output_size: int) -> int:
    return math.ceil(input_size / output_size)


def _stage(inputs: int, widths: list[int]):
    for width in widths:
        yield nn.Conv2d(inputs, width, (3, 3), padding="same")
        yield nn.BatchNorm2d(width)
        yield nn.ReLU()
        inputs = width
    yield nn.MaxPool2d(2)


class VGG(nn.Module):
    def __init__(self, output_dim: int, configuration: str = "A") -> None:
        super().__init__()
        self.features, inputs = nn.Sequential(), 3
        for widths in CONFIGURATION[configuration]:
            self.features.extend(_stage(inputs, widths))
            inputs = widths[-1]
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential()
        for width in (4096, 4096):
            self.classifier.extend([nn.LazyLinear(width), nn.ReLU(), nn.Dropout(p=0.5)])
        self.classifier.append(nn.LazyLinear(output_dim))
        with torch.no_grad():
            self.classifier(torch.zeros(1, 512 * 49))
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.constant_(module.bias, 0)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.flatten(self.avgpool(self.features(images))))
