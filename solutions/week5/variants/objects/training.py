"""Data as classes, loops as methods."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from base import Meter
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import functional as TF

Transform = Callable[[Image.Image], torch.Tensor]


class Pipeline:
    def __init__(self, mean: float, std: float, augment: bool) -> None:
        self.mean, self.std, self.augment = mean, std, augment

    def __call__(self, image: Image.Image) -> torch.Tensor:
        tensor = TF.to_tensor(image)
        if self.augment:
            shift = [random.uniform(-2, 2), random.uniform(-2, 2)]
            angle = random.uniform(-5, 5)
            tensor = TF.affine(tensor, angle, shift, 1.0, [0.0], interpolation=TF.InterpolationMode.BILINEAR)
        return tensor.sub_(self.mean).div_(self.std)


def make_transforms(mean: float, std: float) -> list[Transform]:
    return [Pipeline(mean, std, augment) for augment in (True, False)]


class Part(Dataset):
    """Some items of a dataset, seen through a transform of their own."""

    def __init__(self, whole: Dataset, indices: list[int], transform: Any) -> None:
        self.whole, self.indices, self.transform = whole, indices, transform

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, item: int) -> tuple[Any, int]:
        kept, self.whole.transform = self.whole.transform, self.transform
        try:
            return self.whole[self.indices[item]]
        finally:
            self.whole.transform = kept


def split_with_transforms(
    train_full: Dataset, test_transform: Transform, train_ratio: float = 0.9, seed: int = 42
) -> tuple[Part, Part]:
    indices = list(range(len(train_full)))
    random.Random(seed).shuffle(indices)
    cut = int(len(train_full) * train_ratio)
    return Part(train_full, indices[:cut], train_full.transform), Part(train_full, indices[cut:], test_transform)


@dataclass
class Trainer:
    model: nn.Module
    device: torch.device
    criterion: Callable

    def losses(self, loader: DataLoader):
        """Each batch's loss, logits and labels."""
        for batch in loader:
            images, labels = (tensor.to(self.device) for tensor in batch)
            out = self.model(images)
            yield self.criterion(out[0], labels), out[0], labels


def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100) -> list[float]:
    meter = Meter()
    optimizer.zero_grad()
    steps = Trainer(model.train(), device, criterion).losses(train_loader)
    for number, (loss, _logits, _labels) in enumerate(steps):
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if not number % log_interval:
            meter.log.append(loss.item())
    return meter.log


def validate(model, device, loader, criterion, dataset_name="Validation") -> tuple[float, float]:
    loss, accuracy = Meter(), Meter()
    before = model.training
    model.eval()
    with torch.set_grad_enabled(False):
        for batch_loss, logits, labels in Trainer(model, device, criterion).losses(loader):
            loss.add(batch_loss.item())
            accuracy.add((logits.max(1)[1] == labels).float().mean().item(), len(labels))
    model.train(before)
    return loss.mean, 100 * accuracy.mean
