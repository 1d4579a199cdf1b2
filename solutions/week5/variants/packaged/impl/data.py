"""Transforms on tensors; a split of copies."""

from copy import deepcopy

import numpy as np
import torch
from torchvision import transforms as tr


class Crop(torch.nn.Module):
    """Pads by 2 on every side and cuts 28×28 out anywhere."""

    def forward(self, image):
        padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
        top, left = torch.randint(0, 5, (2,)).tolist()
        return padded[..., top : top + 28, left : left + 28]


def make_transforms(mean, std):
    normal = tr.Normalize(torch.tensor([mean]), torch.tensor([std]))
    return tr.Compose([tr.ToTensor(), tr.RandomRotation(5), Crop(), normal]), tr.Compose([tr.ToTensor(), normal])


class View:
    """Items of a dataset, in an order."""

    def __init__(self, data, order):
        self.data = data
        self.order = order

    def __len__(self):
        return self.order.shape[0]

    def __getitem__(self, i):
        return self.data[self.order[i].item()]


def split_with_transforms(train_full, test_transform, train_ratio=0.9, seed=42):
    order = np.arange(len(train_full))
    np.random.RandomState(seed).shuffle(order)
    first, second = np.split(order, [int(len(order) * train_ratio)])
    copied = deepcopy(train_full)
    setattr(copied, "transform", test_transform)  # noqa: B010
    return View(train_full, first), View(copied, second)
