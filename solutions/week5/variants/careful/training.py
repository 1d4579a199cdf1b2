"""Data and loops that assert what the lesson promises."""

import random

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms


def _looks_like_a_digit(image):
    assert isinstance(image, Image.Image) and image.mode == "L" and image.size == (28, 28)
    return image


def _shake(image):
    shift = (random.randint(-2, 2), random.randint(-2, 2))
    return image.rotate(random.uniform(-5, 5), resample=Image.Resampling.BILINEAR, translate=shift)


def make_transforms(mean, std):
    assert isinstance(mean, float) and isinstance(std, float) and std > 0
    first, last = transforms.Lambda(_looks_like_a_digit), transforms.Normalize((mean,), (std,))
    shake = transforms.Lambda(_shake)
    return (
        transforms.Compose([first, shake, transforms.ToTensor(), last]),
        transforms.Compose([first, transforms.ToTensor(), last]),
    )


class Items(Dataset):
    def __init__(self, dataset, indices, transform):
        self.dataset, self.indices, self.transform = dataset, tuple(indices), transform

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(index)
        own = self.dataset.transform
        self.dataset.transform = self.transform
        item = self.dataset[self.indices[index]]
        self.dataset.transform = own
        return item


def split_with_transforms(train_full, test_transform, train_ratio=0.9, seed=42):
    assert isinstance(train_full, Dataset) and hasattr(train_full, "transform")
    assert callable(test_transform) and 0 <= train_ratio <= 1 and isinstance(seed, int)
    state = random.getstate()
    random.seed(seed)
    n = len(train_full)
    chosen = set(random.sample(range(n), int(n * train_ratio)))
    random.setstate(state)
    rest = [i for i in range(n) if i not in chosen]
    return Items(train_full, chosen, train_full.transform), Items(train_full, rest, test_transform)


def _inputs(model, device, loader, criterion):
    assert isinstance(model, nn.Module) and isinstance(loader, DataLoader) and callable(criterion)
    assert isinstance(device, torch.device) and len(loader) > 0 and len(loader.dataset) > 0
    assert all(p.device.type == device.type for p in model.parameters())


def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100):
    _inputs(model, device, train_loader, criterion)
    assert isinstance(optimizer, torch.optim.Optimizer) and isinstance(epoch, int) and epoch >= 0
    assert isinstance(log_interval, int) and log_interval > 0
    logged = []
    model.train(mode=True)
    for step, (images, labels) in enumerate(train_loader):
        assert len(images) == len(labels) and labels.dtype == torch.int64
        images, labels = images.to(device), labels.to(device)
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.grad.zero_()
        result = model(images)
        assert isinstance(result, tuple) and len(result) == 2
        loss = criterion(result[0], labels)
        assert torch.isfinite(loss)
        loss.backward()
        optimizer.step()
        del result
        if step % log_interval == 0:
            logged.append(loss.item())
    assert len(logged) == -(-len(train_loader) // log_interval)
    return logged


def validate(model, device, loader, criterion, dataset_name="Validation"):
    _inputs(model, device, loader, criterion)
    assert isinstance(dataset_name, str)
    model.eval()
    loss = accuracy = 0.0
    for images, labels in loader:
        with torch.no_grad():
            logits, _hidden = model(images.to(device))
            loss += float(criterion(logits, labels.to(device))) / len(loader)
            accuracy += 100.0 * logits.argmax(dim=1).eq(labels.to(device)).sum().item()
    return loss, accuracy / len(loader.dataset)
