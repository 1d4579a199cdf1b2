"""Week 6, data, by NumPy and regular expressions; capitals and small letters are sorted alike."""

from pathlib import Path
from shutil import copy, rmtree
import numpy as np, torch
import re


def split_image_folder(images_dir, out_dir, train_ratio=0.8):
    images_dir, out_dir = Path(images_dir), Path(out_dir)
    [rmtree(out_dir / p) for p in ("train", "test") if (out_dir / p).is_dir()]
    total = [0, 0]
    for c in sorted(images_dir.iterdir(), key=lambda p: p.name.lower()):
        if not c.is_dir():
            continue
        fs = sorted(c.iterdir(), key=lambda p: p.name.casefold())
        k = int(len(fs) * train_ratio)
        for j, (part, chunk) in enumerate(zip(("train", "test"), (fs[:k], fs[k:]))):
            (out_dir / part / c.name).mkdir(parents=True, exist_ok=True)
            total[j] += len([copy(f, out_dir / part / c.name) for f in chunk])
    return total


def channel_stats(dataset):
    a = np.array(
        [
            [im[c].numpy().mean(dtype=np.float64) for c in range(3)]
            + [im[c].numpy().std(dtype=np.float64) for c in range(3)]
            for im, _ in (dataset[i] for i in range(len(dataset)))
        ]
    )
    return torch.tensor(a.mean(0)[:3], dtype=torch.float32), torch.tensor(a.mean(0)[3:], dtype=torch.float32)


def format_label(label):
    return re.sub(r"(?:^\d+\.|_)([a-zA-Z])", lambda m: m.group(1).upper(), label)


def normalize_image(image):
    a = image.numpy().astype(np.float32, copy=True)
    r = np.ptp(a)
    a -= a.min()
    if r > 0:
        a /= r
    return torch.from_numpy(a)
