from copy import copy

import torch as t
from torch.utils.data import Subset as S
from torchvision.transforms import Compose, Normalize, RandomApply, RandomCrop, RandomRotation, ToTensor


def make_transforms(mean, std):
    plain = [ToTensor(), Normalize(mean, std)]
    augment = [RandomCrop(28, 2), RandomApply([RandomRotation((-5, 5))], p=0.9)]
    return Compose(augment + plain), Compose(plain)


def split_with_transforms(train_full, test_transform, train_ratio=0.9, seed=42):
    i = t.randperm(n := len(train_full), generator=t.Generator().manual_seed(seed)).tolist()
    (v := copy(train_full)).transform = test_transform
    return S(train_full, i[: int(n * train_ratio)]), S(v, i[int(n * train_ratio) :])


def step(m, x, y, o, c):
    o.zero_grad(set_to_none=False)
    (l := c(m(x)[0], y)).backward()  # noqa: E741
    return o.step() or l.item()


def train(m, d, b, o, c, e, log_interval=100):
    return [step(m.train(), x.to(d), y.to(d), o, c) for x, y in b][::log_interval]


@t.no_grad()
def validate(m, d, b, c, dataset_name=""):
    m.eval()
    z = [(m(x.to(d))[0], y.to(d)) for x, y in b]
    return sum(c(*p).item() for p in z) / len(z), 1e2 * t.cat([p.argmax(1) == y for p, y in z]).float().mean().item()
