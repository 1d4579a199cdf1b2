"""How the thresholds of task 6.17 were chosen: `python solutions/week6/calibrate.py [SEEDS]` prints the table.

The reference and the typical broken programs are fine-tuned exactly as the check lets them, each with many seeds.
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
sys.path.insert(0, str(ROOT))

from fixtures import digits, transfer  # noqa: E402

RATE, EPOCHS, VALID = 0.003, 3, 80

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
    "all but the features frozen": (
        "transfer",
        r"    old = model",
        "    model.classifier.requires_grad_(False)\n    old = model",
    ),
    "rates the wrong way round": ("transfer", r"slow, \"lr\": lr / factor\}, \{\"params\": fast, \"lr\": lr\}",
                                  'slow, "lr": lr}, {"params": fast, "lr": lr / factor}'),
    "last epoch instead of the best": ("training", r"if valid_loss < best:", "if True:"),
}  # fmt: skip


def results_of(change: tuple[str, str, str] | None, seed: int) -> tuple[float, float]:
    """After the check's short run: test accuracy by the judge's network, and its lead over training from scratch."""
    generator = torch.Generator().manual_seed(seed)
    data = transfer.draw(generator)
    student = types.SimpleNamespace(transfer=_module("transfer", change), training=_module("training", change))
    train, valid = (data.train_images, data.train_labels), (data.test_images[:VALID], data.test_labels[:VALID])
    torch.manual_seed(seed)
    state = _probes().fine_tuned(student, transfer.load_backbone(), train, valid, RATE, EPOCHS)["after"]
    model = transfer.Backbone()
    model.load_state_dict(state)
    model.eval()
    images, labels = data.test_images[VALID:], data.test_labels[VALID:]
    with torch.no_grad():
        tuned = digits.accuracy(model(transfer.normalised(images)), labels)
    return tuned, tuned - transfer.scratch_accuracy(*train, images, labels, RATE, EPOCHS, generator)


def _probes() -> types.ModuleType:
    file = ROOT / "assignments" / HERE.name / "probes_transfer.py"
    spec = importlib.util.spec_from_file_location("probes_transfer", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    print("| program | accuracy: mean | deviation | range | lead over scratch: mean | deviation | range |")
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
