"""Fine-tunes by week 6's recipe, with ten seeds: `python -m solutions.figures.recipe` writes `recipe.json`, in minutes.

It does what the notebook does on the coloured digits, with the reference's functions.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, random_split
from torchvision import transforms
from torchvision.datasets import ImageFolder

from fixtures import lessons
from grader.checks import load_beside
from grader.files import write_atomically

FILE = Path(__file__).with_name("recipe.json")
REFERENCE = str(Path(__file__).parents[1] / "week6" / "vgg.py")
KINDS, SEEDS = ("tuned", "frozen", "scratch"), 10

data, training, transfer = (load_beside(REFERENCE, name) for name in ("data", "training", "transfer"))


def loaders(folder: Path, problem: lessons.TransferProblem) -> list[DataLoader]:
    """Make the notebook's loaders for training, validation and test."""
    data.split_image_folder(problem.images, folder / "split", problem.train_ratio)
    size, plain = problem.size, [transforms.ToTensor(), transforms.Normalize(problem.mean, problem.std)]
    shaken = [
        transforms.RandomRotation(5), transforms.RandomCrop(size, padding=size // 22 + 1, padding_mode="edge")
    ]  # fmt: skip
    known = ImageFolder(str(folder / "split" / "train"), transforms.Compose([*shaken, *plain]))
    still, fresh = (ImageFolder(str(folder / "split" / part), transforms.Compose(plain)) for part in ("train", "test"))
    to_learn, to_choose = random_split(range(len(known)), [0.9, 0.1], generator=torch.Generator().manual_seed(0))
    return [
        DataLoader(Subset(known, list(to_learn)), batch_size=16, shuffle=True),
        DataLoader(Subset(still, list(to_choose)), batch_size=16),
        DataLoader(fresh, batch_size=64),
    ]


def accuracy(kind: str, seed: int, folder: Path, problem: lessons.TransferProblem, given: list[DataLoader]) -> float:
    """Fine-tune, or train from scratch; return the accuracy on the test in percent."""
    torch.manual_seed(seed)
    model = transfer.swap_head((problem.untrained if kind == "scratch" else problem.pretrained)(), 5)
    if kind == "frozen":
        transfer.freeze(model.features)
    groups: Any = model.parameters()
    if kind != "scratch":
        groups = transfer.discriminative_param_groups(model, problem.lr)
    optimizer = torch.optim.Adam(groups, lr=problem.lr)
    criterion, device = nn.CrossEntropyLoss(), torch.device("cpu")
    learn, choose, test = given
    training.fit(model, learn, choose, optimizer, criterion, device, problem.epochs, folder / "best.pt")
    return round(100 * training.evaluate(model, test, criterion, device)[1], 1)


def results(seeds: int = SEEDS) -> dict[str, list[float]]:
    """Return the test accuracy of each seed, for each of the three ways."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problem = lessons.transfer_problem(folder)
        given = loaders(folder, problem)
        return {kind: [accuracy(kind, seed, folder, problem, given) for seed in range(seeds)] for kind in KINDS}


def read() -> dict[str, list[float]]:
    return json.loads(FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def main() -> None:
    torch.set_num_threads(1)
    found = results()
    write_atomically(FILE, json.dumps(found, indent=1) + "\n", for_others=True)
    for kind, values in found.items():
        print(f"{kind}: {min(values)} to {max(values)} %, mean {sum(values) / len(values):.1f} %")


if __name__ == "__main__":
    main()
