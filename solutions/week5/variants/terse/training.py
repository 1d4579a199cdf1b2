from copy import copy

import torch as t
from torch.utils.data import Dataset, Subset
from torchvision.transforms import Compose, Normalize, RandomApply, RandomCrop, RandomRotation, ToTensor


def make_transforms(mean, std):
    plain = [ToTensor(), Normalize(mean, std)]
    augment = [RandomCrop(28, 2), RandomApply([RandomRotation((-5, 5))], p=0.9)]
    return Compose(augment + plain), Compose(plain)


class S(Dataset):
    def __init__(s, part, transform):
        s.part, s.transform = part, transform

    def __len__(s):
        return len(s.part)

    def __getitem__(s, i):
        x, y = s.part[i]
        return s.transform(x) if s.transform else x, y


def split_with_transforms(train_full, test_transform, train_ratio=0.9, seed=42):
    i = t.randperm(n := len(train_full), generator=t.Generator().manual_seed(seed)).tolist()
    (raw := copy(train_full)).transform = None
    parts = Subset(raw, i[: int(n * train_ratio)]), Subset(raw, i[int(n * train_ratio) :])
    return tuple(map(S, parts, (train_full.transform, test_transform)))


def step(m, x, y, o, c):
    o.zero_grad(set_to_none=False)
    (l := c(m(x)[0], y)).backward()  # noqa: E741
    return o.step() or l.item()


def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100):
    d, o, c = device, optimizer, criterion
    return [step(model.train(), x.to(d), y.to(d), o, c) for x, y in train_loader][::log_interval]


@t.no_grad()
def validate(model, device, loader, criterion, dataset_name=""):
    model.eval()
    z = [(model(x.to(device))[0], y.to(device)) for x, y in loader]
    return sum(criterion(*p).item() * len(p[1]) for p in z) / len(loader.dataset), 1e2 * t.cat([p.argmax(1) == y for p, y in z]).float().mean().item()
