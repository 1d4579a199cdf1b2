"""How the accuracy threshold of task 7.14 was chosen: `python solutions/week7/calibrate.py [SEEDS]` prints the table.

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

from fixtures import digits, residual  # noqa: E402
from grader.author.calibration import print_table  # noqa: E402
from grader.checks import load_beside  # noqa: E402
from grader.inside.replacing import replaced  # noqa: E402

CHECKS = str(ROOT / "assignments" / HERE.name / "test_week7_recipe.py")
probes, checks = (load_beside(CHECKS, name) for name in ("probes_recipe", "test_week7_recipe"))

# name: (module, what is replaced, by what)
PROGRAMS = {
    "reference": None,
    "plain network": ("resnet", r"F\.relu\(out \+ self\.shortcut\(x\)\)", "F.relu(out)"),
    "no zero_grad": ("recipe", r"optimizer\.zero_grad\(\)", "pass"),
    "no step": ("recipe", r"optimizer\.step\(\)", "pass"),
    "shuffled labels": (
        "recipe",
        r"targets = smooth_labels\(labels, num",
        "targets = smooth_labels(labels[torch.randperm(len(labels))], num",
    ),
}


def results_of(student: SimpleNamespace, seed: int) -> tuple[float, float]:
    """After the check's short run: test accuracy by the judge's network, and by the program's own forward."""
    student.instead = lambda module, **helpers: replaced(getattr(student, module), (), helpers)
    generator = torch.Generator().manual_seed(seed)
    data = digits.draw(generator, checks.TRAIN_SIZE)
    images, test = checks.small(data.train_images), checks.small(data.test_images)
    torch.manual_seed(seed)
    given = images, data.train_labels, checks.BLOCKS, checks.RATE, checks.EPOCHS
    weights = residual.cut(probes.trained_weights(student, *given)["after"], residual.shapes(10, checks.BLOCKS, 8))
    model = student.resnet.ResNet(10, checks.BLOCKS, 8)
    model.load_state_dict(weights, strict=False)
    model.eval()
    with torch.no_grad():
        own = digits.accuracy(model(test), data.test_labels)
    return digits.accuracy(residual.logits(weights, test), data.test_labels), own


if __name__ == "__main__":
    print_table(HERE, ("resnet", "recipe"), PROGRAMS, ("accuracy", "its own forward's accuracy"), results_of)
