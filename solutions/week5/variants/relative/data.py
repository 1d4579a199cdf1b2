"""Transformationen und Aufteilung."""

import copy

import torch
import torch.utils.data as tud
from torchvision.transforms import v2

__all__ = ["make_transforms", "split_with_transforms"]


def make_transforms(mean, std):
    tensor = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
    normal = v2.Normalize([mean], [std])
    train = v2.Compose([*tensor, v2.RandomRotation(5), v2.RandomCrop(28, padding=2), normal])
    return train, v2.Compose([*tensor, normal])


def split_with_transforms(train_full, test_transform, train_ratio=0.9, seed=42):
    """Mit dem globalen Generator, der danach wieder ist wie zuvor."""
    n_train = int(len(train_full) * train_ratio)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        train, valid = tud.random_split(train_full, [n_train, len(train_full) - n_train])
    valid = copy.deepcopy(valid)
    valid.dataset.transform = test_transform
    return [train, valid]
