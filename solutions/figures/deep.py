"""Trains what week 7's figures show: plain and residual networks, and a network whose Grad-CAM maps are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from fixtures import digits
from grader.checks import load_beside

REFERENCE = str(Path(__file__).parents[1] / "week7" / "resnet.py")
EPOCHS, RATE, IMAGES, SEEDS = 8, 0.01, 384, 3
DEPTHS = {"plain, 8 layers": (1, False), "plain, 26 layers": (4, False), "residual, 26 layers": (4, True)}
LOOKED_AT = (1, 6, 9)  # digits for whose images maps are drawn

resnet, recipe, gradcam = (load_beside(REFERENCE, name) for name in ("resnet", "recipe", "gradcam"))


def depths() -> dict[str, list[float]]:
    """The mean loss on the training images in each epoch, over some seeds, of three networks with one recipe."""
    images, labels = _halved(times=2)
    given = images[:IMAGES], labels[:IMAGES]
    found = {}
    for name, (blocks, shortcuts) in DEPTHS.items():
        runs = torch.tensor([_trained(seed, blocks, shortcuts, *given, EPOCHS)[1] for seed in range(SEEDS)])
        found[name] = [round(value, 4) for value in runs.mean(dim=0).tolist()]
    return found


def looks() -> list[dict[str, Any]]:
    """Some digits of 14×14 in percent, with the Grad-CAM maps of what a small residual network says of them."""
    images, labels = _halved(times=1)
    model, _ = _trained(0, 2, True, images[:1000], labels[:1000], EPOCHS)
    found = []
    for digit in LOOKED_AT:
        image = images[1000:][labels[1000:] == digit][0]
        model.eval()
        said = int(model(image[None]).argmax())
        found.append({
            "digit": digit, "said": said, "pixels": _percent(image[0] / 2 + 0.5),
            "map": _percent(gradcam.grad_cam(model, model.stage2, image)),
        })  # fmt: skip
    return found


def _halved(times: int) -> tuple[torch.Tensor, torch.Tensor]:
    """All embedded digits in [−1, 1], halved in size once (14×14) or twice (7×7), and their labels."""
    images, labels = digits.originals()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    for _ in range(times):
        images = F.avg_pool2d(images, 2)
    return images[order] * 2 - 1, labels[order]


class _Plain(resnet.ResidualBlock):  # type: ignore[misc, name-defined]
    """The same layers; nothing is added."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)))


def _trained(
    seed: int, blocks: int, shortcuts: bool, images: torch.Tensor, labels: torch.Tensor, epochs: int
) -> tuple[nn.Module, list[float]]:
    """Train a network by the week's recipe; return it with the mean loss of each epoch."""
    torch.manual_seed(seed)
    model = resnet.ResNet(10, blocks, 8)
    for stage in (model.stage1, model.stage2, model.stage3) if not shortcuts else ():
        for block in stage:
            block.__class__ = _Plain
    loader = DataLoader(TensorDataset(images, labels), batch_size=32, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    total = epochs * len(loader)
    scheduler = recipe.make_scheduler(optimizer, total, total // 5)
    device, losses = torch.device("cpu"), []
    for _ in range(epochs):
        epoch = recipe.train_epoch(model, loader, optimizer, scheduler, device, 10, smoothing=0.0, alpha=0.0)
        losses.append(sum(epoch) / len(epoch))
    return model, losses


def _percent(values: torch.Tensor) -> list[list[int]]:
    return [[round(100 * value) for value in row] for row in values.tolist()]
