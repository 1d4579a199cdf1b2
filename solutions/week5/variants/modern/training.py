"""transforms.v2, functional splits, closures."""

import itertools
from contextlib import contextmanager
from copy import deepcopy

import torch
from lenet import PIXELS
from torch import nn
from torch.utils.data import Dataset, Subset
from torchvision.transforms import InterpolationMode, v2


class Unit(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 1, 1))

    def forward(self, image):
        return (image - self.mean) / self.std


def make_transforms(mean, std):
    scale = v2.Compose([v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True)])
    affine = v2.RandomAffine(5, translate=(2 / PIXELS, 2 / PIXELS), interpolation=InterpolationMode.BILINEAR)
    test = nn.Sequential(scale, Unit(mean, std))
    return nn.Sequential(scale, affine, Unit(mean, std)), test


def split_with_transforms(train_full: Dataset, test_transform, train_ratio=0.9, seed=42):
    chosen = torch.randperm(len(train_full), generator=torch.Generator("cpu").manual_seed(seed))
    where = int(train_ratio * len(train_full))
    parts = [Subset(deepcopy(train_full), part.sort().values) for part in (chosen[:where], chosen[where:])]
    parts[1].dataset.transform = test_transform
    return tuple(parts)


@contextmanager
def evaluating(model):
    was = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            yield model
    finally:
        for module, mode in was.items():
            module.training = mode


def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100, *, amp=False):
    model.train()
    everything = []

    for images, labels in train_loader:

        def closure():
            optimizer.zero_grad()
            with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=amp):
                (output, _) = model(images.to(device))  # noqa: B023
                loss = criterion(output, labels.to(device))  # noqa: B023
            loss.backward()
            return loss

        everything.append(optimizer.step(closure).detach())
    return torch.stack(everything)[::log_interval].tolist()


def validate(model, device, loader, criterion, dataset_name="Validation"):
    with evaluating(model):
        batches = [(model(x.to(device))[0], y.to(device)) for x, y in loader]
        loss = sum(itertools.starmap(criterion, batches)) / len(batches)
        right = sum(int((logits.argmax(1) == y).sum()) for logits, y in batches)
    return float(loss), right / len(loader.dataset) * 100
