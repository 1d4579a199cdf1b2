"""How the thresholds of task 6.17 were chosen: `python solutions/week6/calibrate.py [SEEDS]` prints the table.

The reference and the typical broken programs are fine-tuned exactly as the check lets them, each with many seeds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import torch

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from fixtures import digits, transfer  # noqa: E402
from grader.author.calibration import print_table  # noqa: E402
from grader.checks import load_beside  # noqa: E402

probes = load_beside(str(ROOT / "assignments" / HERE.name / "probes_transfer.py"), "probes_transfer")
RATE, EPOCHS, VALID = 0.004, 3, 40

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


def results_of(student: SimpleNamespace, seed: int) -> tuple[float, float]:
    """After the check's short run: test accuracy by the judge's network, and its lead over training from scratch."""
    generator = torch.Generator().manual_seed(seed)
    data = transfer.draw(generator)
    train, valid = (data.train_images, data.train_labels), (data.test_images[:VALID], data.test_labels[:VALID])
    torch.manual_seed(seed)
    state = probes.fine_tuned(student, transfer.load_backbone(), train, valid, RATE, EPOCHS)["after"]
    model = transfer.Backbone()
    model.load_state_dict(state)
    model.eval()
    images, labels = data.test_images[VALID:], data.test_labels[VALID:]
    with torch.no_grad():
        tuned = digits.accuracy(model(transfer.normalised(images)), labels)
    return tuned, tuned - transfer.scratch_accuracy(*train, images, labels, RATE, EPOCHS, seed)


if __name__ == "__main__":
    print_table(HERE, ("transfer", "training"), PROGRAMS, ("accuracy", "lead over scratch"), results_of)
