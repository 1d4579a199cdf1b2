"""Week 4, training: my own loops live in `blocks`."""

import os
import random
from typing import Any

import numpy as np
import torch
from blocks.loops import History, Trainer
from torch.utils.data import DataLoader, Dataset

print("training imported")


def set_seed(seed: int) -> None:
    os.environ["PYTHONHASHSEED"] = str(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(seed)
        torch.backends.cudnn.deterministic = True


def pixel_stats(images: Any) -> tuple[float, float]:
    if isinstance(images, torch.Tensor):
        images = images.cpu().numpy()
    values = images.astype(np.float32).ravel() / 255.0
    mean = values.mean(dtype=np.float64)
    return float(mean), float(np.sqrt(((values - mean) ** 2).sum(dtype=np.float64) / (values.size - 1)))


class _Part(Dataset):
    def __init__(self, base: Dataset, places: list[int]) -> None:
        self.base, self.places = base, places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Any:
        return self.base[self.places[index]]


def split_train_valid(dataset: Dataset, train_ratio: float = 0.9, seed: int = 42, verbose: bool = False):
    places = list(range(len(dataset)))
    random.Random(seed).shuffle(places)
    cut = int(len(places) * train_ratio)
    return _Part(dataset, places[:cut]), _Part(dataset, places[cut:])


def make_loaders(train: Dataset, valid: Dataset, test: Dataset, batch_size: int = 64):
    common = {"batch_size": batch_size, "num_workers": 2, "drop_last": False}
    return (
        DataLoader(train, shuffle=True, **common),
        DataLoader(valid, shuffle=False, **common),
        DataLoader(test, shuffle=False, **common),
    )


def train(model, device, train_loader, optimizer, criterion, epoch, log_interval=100, quiet=True) -> list[float]:
    return Trainer(model, device, optimizer, criterion).epoch(train_loader, log_interval)


def validate(model, device, loader, criterion, dataset_name="Validation") -> tuple[float, float]:
    result = Trainer(model, device, None, criterion).evaluate(loader)
    print(f"{dataset_name}: {result}")
    return result


def fit(model, device, train_loader, valid_loader, optimizer, criterion, n_epochs) -> dict[str, Any]:
    trainer, history = Trainer(model, device, optimizer, criterion), History()
    for _ in range(n_epochs):
        history.train_losses.extend(trainer.epoch(train_loader, 100))
        loss, accuracy = trainer.evaluate(valid_loader)
        history.valid_losses.append(loss)
        history.valid_accuracies.append(accuracy)
    return {**vars(history), "epochs": n_epochs}
