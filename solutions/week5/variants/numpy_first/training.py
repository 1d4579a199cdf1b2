"""Data and loops, with NumPy doing what NumPy can do."""

import copy

import numpy as np
import torch
from torch.utils.data import Subset
from torchvision import transforms as T


def make_transforms(mean, std):
    def test(picture):
        pixels = np.asarray(picture, dtype=np.float32)[None] / 255.0
        return torch.from_numpy((pixels - np.float32(mean)) / np.float32(std))

    shake = T.RandomAffine(degrees=5, translate=(2 / 28, 2 / 28))
    return (lambda picture: test(shake(picture))), test


def split_with_transforms(train_full, test_transform, train_ratio=0.9, seed=42):
    total = len(train_full)
    n = int(total * train_ratio)
    order = np.random.default_rng(seed).permutation(total)
    other = copy.copy(train_full)
    other.transform = test_transform
    return Subset(train_full, order[:n]), Subset(other, order[n:])


def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100):
    history = []
    model.train()
    for number, (data, target) in enumerate(train_loader, 1):
        data, target = data.to(device), target.to(device)
        model.zero_grad(set_to_none=True)
        output = model(data)[0]
        loss = criterion(output, target)
        loss.backward()
        optimizer.step()
        if (number - 1) % log_interval == 0:
            history.append(float(loss.detach().cpu().numpy()))
            print("Train Epoch: {} [{}/{}]\tLoss: {:.6f}".format(epoch, number, len(train_loader), history[-1]))  # noqa: UP032
    return history


@torch.no_grad()
def validate(model, device, loader, criterion, dataset_name="Validation"):
    model.eval()
    losses, hits = [], []
    for data, target in loader:
        logits = model(data.to(device))[0]
        losses.append(criterion(logits, target.to(device)).item())
        hits.extend((logits.cpu().numpy().argmax(axis=1) == target.numpy()).tolist())
    print(f"[{dataset_name}] {np.mean(losses):.3f}")
    return np.mean(losses).item(), 100 * sum(hits) / len(hits)
