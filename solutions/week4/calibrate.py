"""How the thresholds of task 4.11 were chosen: `python solutions/week4/calibrate.py [SEEDS]` prints the table.

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

from fixtures import digits, networks  # noqa: E402
from grader.author.calibration import print_table  # noqa: E402
from grader.checks import load_beside  # noqa: E402

probes = load_beside(str(ROOT / "assignments" / HERE.name / "probes.py"), "probes")
RATE, EPOCHS, TRAIN_SIZE = 0.04, 5, 200

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


def results_of(student: SimpleNamespace, seed: int) -> tuple[float, float]:
    """After the check's short run: test accuracy by the judge's network, and test loss by the program's own logits."""
    generator = torch.Generator().manual_seed(seed)
    data = digits.draw(generator, TRAIN_SIZE)
    pixels = data.train_images.double() / 255
    given = (data.train_images, data.train_labels, seed, pixels.mean().item(), pixels.std().item(), RATE, EPOCHS)
    run = probes.trained_weights(student, *given)
    images = (data.test_images.float() / 255 - run["stats"][0]) / run["stats"][1]
    own = probes.predictions_with(student, run["after"], data.test_images, *run["stats"])["logits"]
    loss = torch.nn.functional.cross_entropy(own, data.test_labels).item()
    return digits.accuracy(networks.FCNN.logits(run["after"], images), data.test_labels), loss


if __name__ == "__main__":
    print_table(HERE, ("fcnn", "training"), PROGRAMS, ("accuracy", "loss"), results_of)
