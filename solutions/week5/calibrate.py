"""How the accuracy threshold of task 5.12 was chosen: `python solutions/week5/calibrate.py [SEEDS]` prints the table.

The reference and the typical broken programs train exactly as the check lets them, each with many seeds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import torch

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

import probes_hidden  # noqa: E402

from fixtures import digits, networks  # noqa: E402
from grader.author.calibration import print_table  # noqa: E402

RATE, EPOCHS, TRAIN_SIZE = 0.006, 4, 384

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


def results_of(student: SimpleNamespace, seed: int) -> tuple[float, float]:
    """After the check's short run: test accuracy by the judge's network, and test loss by the program's own logits."""
    generator = torch.Generator().manual_seed(seed)
    data = digits.draw(generator, TRAIN_SIZE)
    torch.manual_seed(seed)
    given = (data.train_images, data.train_labels, data.test_images, RATE, EPOCHS)
    run = probes_hidden.trained_weights(student, *given)
    logits = networks.LENET.logits(run["after"], data.test_images.float() / 127.5 - 1)
    loss = torch.nn.functional.cross_entropy(run["logits"], data.test_labels).item()
    return digits.accuracy(logits, data.test_labels), loss


if __name__ == "__main__":
    print_table(HERE, ("lenet", "training"), PROGRAMS, ("accuracy", "loss"), results_of)
