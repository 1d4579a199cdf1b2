"""LeNet computed by the judge from a student's weights alone, with torch's functional operators.

Nothing that a student's code does at prediction time can reach this result: a table of neighbours, a stored
label or a patched operator has no place among the ten tensors.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import torch
import torch.nn.functional as F

LAYERS = ("conv1", "conv2", "fc_1", "fc_2", "fc_3")
NAMES = tuple(f"{layer}.{part}" for layer in LAYERS for part in ("weight", "bias"))
SHAPES = ((6, 1, 5, 5), (6,), (16, 6, 5, 5), (16,), (120, 256), (120,), (84, 120), (84,), (10, 84), (10,))
RELUS = 4
MOST_NUMBERS = 200_000  # LeNet has 44,426 weights and biases


def normalised(images: torch.Tensor) -> torch.Tensor:
    """uint8 N×1×28×28 as the probes normalise them: to about [−1, 1]."""
    return images.float() / 127.5 - 1


def fits(weights: Mapping[str, torch.Tensor]) -> bool:
    """Whether `logits` can be computed: widths other than the lesson's are task 5.3's loss, not 5.12's."""
    found = [weights[name] for name in NAMES]
    layers = zip(found[::2], found[1::2], strict=True)
    alike = all(tensor.dim() == len(shape) for tensor, shape in zip(found, SHAPES, strict=True))
    if not alike or any(b.shape != w.shape[:1] for w, b in layers) or sum(t.numel() for t in found) > MOST_NUMBERS:
        return False
    try:
        return logits(weights, torch.zeros(1, 1, 28, 28)).shape == (1, SHAPES[-1][0])
    except RuntimeError:
        return False


def logits(
    weights: Mapping[str, torch.Tensor], images: torch.Tensor, relus: tuple[bool, ...] = (True,) * RELUS
) -> torch.Tensor:
    """Logits N×classes and no gradients; `relus` switches the ReLU after each of the first four layers."""
    (w1, b1), (w2, b2), *linear = (
        (weights[f"{layer}.weight"].float(), weights[f"{layer}.bias"].float()) for layer in LAYERS
    )
    x = images
    for (w, b), on in zip(((w1, b1), (w2, b2)), relus[:2], strict=True):
        x = F.max_pool2d(F.conv2d(x, w, b), 2)
        x = x.relu() if on else x
    x = x.flatten(1)
    for (w, b), on in zip(linear, (*relus[2:], False), strict=True):
        x = F.linear(x, w, b)
        x = x.relu() if on else x
    return x


def best_accuracy(
    weights: Mapping[str, torch.Tensor], images: torch.Tensor, labels: torch.Tensor, enough: float
) -> float:
    """The accuracy with every ReLU; where that is not `enough`, the best over LeNets with and without each.

    A forgotten ReLU is task 5.3's loss, not 5.12's.
    """
    found = 0.0
    for relus in itertools.product((True, False), repeat=RELUS):
        found = max(found, (logits(weights, images, relus).argmax(1) == labels).float().mean().item())
        if found >= enough:
            break
    return found
