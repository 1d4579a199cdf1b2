"""Datasets whose items say what was done to them: `checks.splits` judges what a split makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.utils.data import Dataset


class Numbers(Dataset[Any]):
    """Items `(number, label)` from 0 on, each number passed through the dataset's `transform`, if there is one."""

    def __init__(self, labels: Sequence[int], transform: Callable[[int], Any] | None = None) -> None:
        self.labels = labels
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Any) -> tuple[Any, int]:
        number = int(index)
        if not 0 <= number < len(self.labels):
            raise IndexError(index)
        return number if self.transform is None else self.transform(number), self.labels[number]


class Mark:
    """A transform that leaves its mark: number → [number, mark]."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __call__(self, number: Any) -> list[Any]:
        return [int(number), self.mark]


def split_items(parts: Any) -> dict[str, Any]:
    """Return the items of the two parts of a split, as `train` and `valid`; `returned` names what else came."""
    if not isinstance(parts, (tuple, list)) or len(parts) != 2:
        return {"returned": type(parts).__name__}
    train, valid = ([part[index] for index in range(len(part))] for part in parts)
    return {"train": train, "valid": valid}
