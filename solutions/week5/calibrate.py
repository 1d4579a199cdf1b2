"""How the accuracy threshold of task 5.12 was chosen: `python solutions/week5/calibrate.py [SEEDS]` prints the table.

The reference and the typical broken programs train exactly as the check lets them, each with many seeds.
"""

from __future__ import annotations

import re
import statistics
import sys
import types
from pathlib import Path

import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE)]

import lenet_oracle  # noqa: E402
import probes_hidden  # noqa: E402

from fixtures import digits  # noqa: E402

# name: (module, what is replaced, by what)
PROGRAMS = {
    "reference": None,
    "no zero_grad": ("training", r"optimizer\.zero_grad\(\)", "pass"),
    "no step": ("training", r"optimizer\.step\(\)", "pass"),
    "no backward": ("training", r"loss\.backward\(\)", "pass"),
    "shuffled labels": (
        "training",
        r"loss = criterion\(logits, labels\)\n        loss",
        "labels = labels[torch.randperm(len(labels))]\n        loss = criterion(logits, labels)\n        loss",
    ),
    "convolutions cut off": ("lenet", r"features\.flatten\(", "features.detach().flatten("),
    "softmax in forward": ("lenet", r"self\.fc_3\(features\)", "self.fc_3(features).softmax(1)"),
}


def results_of(change: tuple[str, str, str] | None, seed: int) -> tuple[float, float]:
    """After the check's short run: test accuracy by the judge's network, and test loss by the program's own logits."""
    generator = torch.Generator().manual_seed(seed)
    data = digits.draw(generator)
    student = types.SimpleNamespace(lenet=_module("lenet", change), training=_module("training", change))
    torch.manual_seed(seed)
    run = probes_hidden.trained_weights(student, data.train_images, data.train_labels, data.test_images)
    logits = lenet_oracle.logits(run["after"], lenet_oracle.normalised(data.test_images))
    loss = torch.nn.functional.cross_entropy(run["logits"], data.test_labels).item()
    return digits.accuracy(logits, data.test_labels), loss


def _module(name: str, change: tuple[str, str, str] | None) -> types.ModuleType:
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    if change is not None and change[0] == name:
        source, count = re.subn(change[1], change[2], source)
        assert count == 1, f"{change[1]} matches {count} times"
    module = types.ModuleType(name)
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    return module


def main(seeds: int) -> None:
    torch.set_num_threads(1)
    print("| program | accuracy: mean | deviation | range | loss: mean | deviation | range |")
    print("|---|---|---|---|---|---|---|")
    for name, change in PROGRAMS.items():
        columns = zip(*(results_of(change, seed) for seed in range(seeds)), strict=True)
        print(f"| {name} | " + " | ".join(_figures(list(column)) for column in columns) + " |", flush=True)


def _figures(found: list[float]) -> str:
    mean, spread = statistics.mean(found), statistics.stdev(found)
    return f"{mean:.3f} | {spread:.3f} | {min(found):.3f} to {max(found):.3f}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
