"""Week 6: VGG of parts with numbers, with the layer of one's own."""

import numpy as np
import torch
from torch import nn
from batchnorm import BatchNorm2d as EigeneNorm


def adaptive_pool_filter_size(input_size, output_size):
    return np.int64(np.ceil(np.float64(input_size) / output_size))


class VGG(nn.Module):
    def __init__(self, output_dim):
        super().__init__()
        self.features = nn.Sequential()
        kanaele, nummer = 3, 0
        for breite, pool in ((64, 1), (128, 1), (256, 0), (256, 1), (512, 0), (512, 1), (512, 0), (512, 1)):
            for teil in [nn.Conv2d(kanaele, breite, 3, 1, 1), EigeneNorm(breite), nn.ReLU()] + [
                nn.MaxPool2d(2, 2)
            ] * pool:
                self.features.add_module(str(nummer), teil)
                nummer += 1
            kanaele = breite
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(25088, 4096),
            nn.ReLU(),
            nn.Dropout(p=0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(p=0.5),
            nn.Linear(4096, output_dim),
        )

    def forward(self, bilder):
        x = bilder
        for schicht in self.features:
            x = schicht(x)
        return self.classifier(torch.flatten(self.avgpool(x), 1))
