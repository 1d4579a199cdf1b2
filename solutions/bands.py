"""Where the reference's training loss lies: `python solutions/bands.py [SEEDS]` writes `fixtures/bands.json`.

The reference trains exactly as the public accuracy checks let it, each week with many seeds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from fixtures import digits, transfer  # noqa: E402
from grader.author.proof.calibration import Program, program  # noqa: E402
from grader.checks import load_beside  # noqa: E402
from grader.checks.show import means  # noqa: E402
from grader.files import write_atomically  # noqa: E402

Run = Callable[[Program, ModuleType, ModuleType, torch.Generator], dict[str, Any]]


def week4(student: Program, probes: ModuleType, checks: ModuleType, rng: torch.Generator) -> dict[str, Any]:
    data = digits.draw(rng, checks.TRAIN_SIZE)
    pixels = data.train_images.double() / 255
    stats = pixels.mean().item(), pixels.std().item()
    return probes.trained_weights(student, data.train_images, data.train_labels, 0, *stats, checks.RATE, checks.EPOCHS)


def week5(student: Program, probes: ModuleType, checks: ModuleType, rng: torch.Generator) -> dict[str, Any]:
    data = digits.draw(rng, checks.TRAIN_SIZE)
    return probes.trained_weights(student, data.train_images, data.train_labels, checks.RATE, checks.EPOCHS)


def week6(student: Program, probes: ModuleType, checks: ModuleType, rng: torch.Generator) -> dict[str, Any]:
    data = transfer.draw(rng)
    train = data.train_images, data.train_labels
    valid = data.test_images[: checks.VALID], data.test_labels[: checks.VALID]
    return probes.fine_tuned(student, transfer.load_backbone(), train, valid, checks.RATE, checks.EPOCHS)


def week7(student: Program, probes: ModuleType, checks: ModuleType, rng: torch.Generator) -> dict[str, Any]:
    data = digits.draw(rng, checks.TRAIN_SIZE)
    images = checks.small(data.train_images)
    return probes.trained_weights(student, images, data.train_labels, checks.BLOCKS, checks.RATE, checks.EPOCHS)


# week: the run, the part of the checks and probes, the modules, and how many batches one value is the mean of
WEEKS: dict[str, tuple[Run, str, tuple[str, ...], int]] = {
    "week4": (week4, "", ("fcnn", "training"), 1),
    "week5": (week5, "", ("lenet", "training"), 4),
    "week6": (week6, "_transfer", ("transfer", "training"), 2),
    "week7": (week7, "_recipe", ("resnet", "recipe"), 4),
}


def band(week: str, seeds: int) -> dict[str, Any]:
    """The least and the greatest mean loss over the seeds, at each so many batches."""
    run, part, modules, per = WEEKS[week]
    checks_file = str(HERE.parent / "assignments" / week / f"test_{week}{part}.py")
    probes, checks = (load_beside(checks_file, name) for name in (f"probes{part}", f"test_{week}{part}"))
    made = {name: program(HERE / week, name, None) for name in modules}
    student = Program(**made)
    curves = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        curves.append(means(run(student, probes, checks, torch.Generator().manual_seed(seed))["losses"], per))
    columns = list(zip(*curves, strict=True))
    return {"per": per, "seeds": seeds, "low": [*map(min, columns)], "high": [*map(max, columns)]}


if __name__ == "__main__":
    torch.set_num_threads(1)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    file = HERE.parent / "fixtures" / "bands.json"
    if not file.exists():
        file.write_text('{"week4": {}, "week5": {}, "week6": {}, "week7": {}}')  # the checks import it
    write_atomically(file, json.dumps({week: band(week, count) for week in WEEKS}, indent=1) + "\n")
    print(f"wrote {file.name}: {count} seeds a week")
