"""LeNet, written with the module classes; sizes by math.floor."""

import math

import numpy as np
import torch
import torch.nn as nn

print("lenet.py: importing …")

KERNEL = 5
WIDTHS = (6, 16)


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    reach = dilation * (kernel_size - 1) + 1
    return math.floor((size + 2 * padding - reach) / stride) + 1


def pool_output_size(size, kernel_size, stride=None):
    return conv_output_size(size, kernel_size, stride=stride or kernel_size)


side = 28
for _ in WIDTHS:
    side = pool_output_size(conv_output_size(side, KERNEL), 2)
FLAT = WIDTHS[-1] * int(np.square(side))


class LeNet(nn.Module):
    def __init__(self, output_dim, in_channels=1):
        super(LeNet, self).__init__()  # noqa: UP008
        self.conv1 = nn.Conv2d(in_channels, WIDTHS[0], KERNEL)
        self.conv2 = nn.Conv2d(WIDTHS[0], WIDTHS[1], KERNEL)
        self.fc_1 = nn.Linear(FLAT, 120)
        self.fc_2 = nn.Linear(120, 84)
        self.fc_3 = nn.Linear(84, output_dim)
        self.block1 = nn.Sequential(self.conv1, nn.MaxPool2d(2), nn.ReLU())
        self.block2 = nn.Sequential(self.conv2, nn.MaxPool2d(2), nn.ReLU())
        self.head = nn.Sequential(self.fc_1, nn.ReLU(), self.fc_2, nn.ReLU(), self.fc_3)

    def forward(self, x):
        x = x.view(-1, 1, x.shape[-2], x.shape[-1])
        x = self.block2(self.block1(x))
        h = x.reshape(x.size(0), -1)
        return self.head(h), h


if __name__ == "__main__":
    print(LeNet(10))
    y, h = LeNet(10)(torch.zeros(2, 1, 28, 28))
    print(y.shape, h.shape)
