"""LeNet mit benannten Ebenen und Eigenschaften statt Attributen."""

import torch.nn as nn

from .shapes import *  # noqa: F403

print("Hallo aus lenet.py — Größe nach conv1:", conv_output_size(28, 5))  # noqa: F405


class LeNet(nn.Module):
    def __init__(self, output_dim=10):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 6, 5), nn.MaxPool2d(2), nn.ReLU(True), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU(True)
        )
        self.mlp = nn.Sequential(
            nn.Linear(256, 120), nn.ReLU(True), nn.Linear(120, 84), nn.ReLU(True), nn.Linear(84, output_dim)
        )

    conv1 = property(lambda self: self.cnn[0])
    conv2 = property(lambda self: self.cnn[3])
    fc_1 = property(lambda self: self.mlp[0])
    fc_2 = property(lambda self: self.mlp[2])
    fc_3 = property(lambda self: self.mlp[4])

    def forward(self, x):
        single = x.dim() == 3
        h = self.cnn(x.unsqueeze(0) if single else x).flatten(1)
        return [self.mlp(h), h]
