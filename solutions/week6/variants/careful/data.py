"""Week 6, data."""

from pathlib import Path
from shutil import copy2, rmtree

import torch


def _fresh(folder: Path) -> Path:
    if folder.is_dir():
        rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def split_image_folder(images_dir, out_dir, train_ratio: float = 0.8, *, verbose: bool = False) -> tuple[int, int]:
    source = Path(images_dir)
    classes = {entry.name: sorted(f for f in entry.iterdir() if f.is_file()) for entry in source.iterdir() if entry.is_dir()}
    train_dir, test_dir = (_fresh(Path(out_dir) / part) for part in ("train", "test"))
    counts = [0, 0]
    for name in sorted(classes):
        files = classes[name]
        cut = int(len(files) * train_ratio)
        for index, file in enumerate(files):
            is_test = index >= cut
            target = (test_dir if is_test else train_dir) / name
            target.mkdir(exist_ok=True)
            copy2(file, target / file.name)
            counts[is_test] += 1
    if verbose:
        print(counts)
    return counts[0], counts[1]


def channel_stats(dataset) -> tuple[torch.Tensor, torch.Tensor]:
    means, stds, index = [], [], 0
    while True:
        try:
            image, _label = dataset[index]
        except IndexError:
            break
        flat = image.reshape(image.shape[0], -1).double()
        means.append(flat.mean(1))
        stds.append(flat.std(1))
        index += 1
    return torch.stack(means).mean(0).float(), torch.stack(stds).mean(0).float()


def format_label(label: str) -> str:
    _, _, name = label.partition(".")
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def normalize_image(image: torch.Tensor) -> torch.Tensor:
    lowest, highest = float(image.min()), float(image.max())
    if highest == lowest:
        return torch.zeros_like(image)
    return torch.add(image, -lowest) / (highest - lowest + 1e-5 * 0)
