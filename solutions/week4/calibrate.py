"""How the thresholds of task 4.11 were chosen: `python solutions/week4/calibrate.py [SEEDS]` prints the table.

The reference and the typical broken programs train exactly as the check lets them, each with many seeds.
"""

from __future__ import annotations

import importlib.util
import math
import re
import statistics
import sys
import types
from pathlib import Path

import torch

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

import fcnn_oracle  # noqa: E402

from fixtures import digits  # noqa: E402

RATE, EPOCHS = 0.1, 8

# name: (module, what is replaced, by what)
PROGRAMS = {
    "reference": None,
    "no zero_grad": ("training", r"optimizer\.zero_grad\(\)", "pass"),
    "no step": ("training", r"optimizer\.step\(\)", "pass"),
    "no backward": ("training", r"loss\.backward\(\)", "pass"),
    "shuffled labels": (
        "training",
        r"loss = criterion\(model\(images\), labels\)\n        loss",
        "labels = labels[torch.randperm(len(labels))]\n        loss = criterion(model(images), labels)\n        loss",
    ),
    "fc1 and fc2 cut off": ("fcnn", r"self\.fc3\(hidden\)", "self.fc3(hidden.detach())"),
    "softmax in forward": ("fcnn", r"self\.fc3\(hidden\)", "self.fc3(hidden).softmax(1)"),
}


def results_of(change: tuple[str, str, str] | None, seed: int) -> tuple[float, float]:
    """After the check's short run: test accuracy by the judge's network, and test loss by the program's own logits."""
    generator = torch.Generator().manual_seed(seed)
    data = digits.draw(generator)
    probes = _probes()
    student = types.SimpleNamespace(fcnn=_module("fcnn", change), training=_module("training", change))
    pixels = data.train_images.double() / 255
    given = (data.train_images, data.train_labels, seed, pixels.mean().item(), pixels.std().item(), RATE, EPOCHS)
    run = probes.trained_weights(student, *given)
    images = (data.test_images.float() / 255 - run["stats"][0]) / run["stats"][1]
    own = probes.predictions_with(student, run["after"], data.test_images, *run["stats"])["logits"]
    loss = torch.nn.functional.cross_entropy(own, data.test_labels).item()
    return digits.accuracy(fcnn_oracle.logits(run["after"], images), data.test_labels), loss


def _probes() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("probes", ROOT / "assignments" / HERE.name / "probes.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _module(name: str, change: tuple[str, str, str] | None) -> types.ModuleType:
    source = (HERE / f"{name}.py").read_text(encoding="utf-8").replace("    print(", "    str(")
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
    finite = [value for value in found if math.isfinite(value)]
    if len(finite) < len(found):
        return f"diverges with {len(found) - len(finite)} of {len(found)} seeds | |"
    mean, spread = statistics.mean(found), statistics.stdev(found)
    return f"{mean:.3f} | {spread:.3f} | {min(found):.3f} to {max(found):.3f}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
