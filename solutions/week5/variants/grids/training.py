"""Week 5, training: a transform of its own, and a dataset that lends its transform."""

import random
import numpy as np
import torch
from PIL import Image
from contextlib import contextmanager
from torch.utils.data import Dataset
import numpy as np, torch


class Schüttler:
    def __init__(self, mean, std, augment):
        self.mean, self.std, self.augment = mean, std, augment

    def __call__(self, img):
        if self.augment:
            img = img.rotate(random.uniform(-5, 5))
            dx, dy = random.randint(-2, 2), random.randint(-2, 2)
            img = img.transform(img.size, Image.AFFINE, (1, 0, dx, 0, 1, dy))
        a = np.asarray(img, dtype=np.float32) / 255
        return torch.from_numpy((a - np.float32(self.mean)) / np.float32(self.std)).unsqueeze(0)


def make_transforms(mean, std):
    return Schüttler(mean, std, True), Schüttler(mean, std, False)


@contextmanager
def swapped(ds, transform):
    old, ds.transform = ds.transform, transform
    try:
        yield
    finally:
        ds.transform = old


class TestView(Dataset):
    def __init__(self, ds, idx, transform):
        self.ds, self.idx, self.t = ds, idx, transform

    def __len__(self):
        return len(self.idx)

    def __getitem__(self, i):
        with swapped(self.ds, self.t):
            return self.ds[self.idx[i]]


def split_with_transforms(train_full, test_transform, train_ratio=0.9, seed=42):
    order = torch.randperm(len(train_full), generator=torch.Generator().manual_seed(seed)).tolist()
    k = int(train_ratio * len(train_full))
    return torch.utils.data.Subset(train_full, order[:k]), TestView(train_full, order[k:], test_transform)


def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100):
    model.train()
    tracked = torch.empty(0)
    for x, y in train_loader:
        with torch.set_grad_enabled(True):
            optimizer.zero_grad()
            (logits, *_rest) = model(x.to(device))
            loss = criterion(logits, y.to(device))
            loss.backward()
            optimizer.step()
        tracked = torch.cat([tracked, loss.detach().cpu().view(1)])
    return tracked[::log_interval].tolist()


@torch.no_grad()
def validate(model, device, loader, criterion, dataset_name="Validation"):
    model = model.eval()
    r = np.array(
        [
            (
                criterion(o := model(x.to(device))[0], y.to(device)).item() * len(y),
                (o.argmax(1).cpu() == y.cpu()).sum().item(),
                len(y),
            )
            for x, y in loader
        ]
    )
    s = r.sum(0)
    return float(s[0] / s[2]), float(100 * s[1] / s[2])
