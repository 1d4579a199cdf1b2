"""Works out right answers by plain loops and sums, for checks that must not contain the reference's line."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from grader.checks import expect
from grader.inside import says

Weights = Mapping[str, torch.Tensor]
Shapes = Mapping[str, tuple[int, ...]]
Relus = tuple[bool, ...]


def places(size: int, window: int, step: int, padding: int = 0) -> int:
    """Count where a window can stand along an axis."""
    return len(range(-padding, size + padding - window + 1, step))


def place_slips(size: int, window: int, step: int, padding: int = 0) -> dict[str, int]:
    """Return what other formulas than that of `places` give, by their mistakes: the `context` of `expect.integer`."""
    room = size + 2 * padding - window
    return {
        says("without the + 1 after the division"): room // step,
        says("with the padding added once: it is on both sides, so write 2 * padding"): (room - padding) // step + 1,
        says("without padding: 2 · padding is added to the size"): (room - 2 * padding) // step + 1,
        says("of a stride of 1: the stride is ignored"): room + 1,
        says("of a quotient that is rounded up or to the nearest: //"): -(-room // step) + 1,
    }


def slide(images: torch.Tensor, kernel: Sequence[Sequence[float]]) -> torch.Tensor:
    """Cross-correlate N×1×H×W images with a k×k filter, one position at a time."""
    k, weight = len(kernel), np.array(kernel)
    rows, columns = images.shape[2] - k + 1, images.shape[3] - k + 1
    result = np.empty((len(images), 1, rows, columns))
    for row in range(rows):
        for column in range(columns):
            window = images[:, 0, row : row + k, column : column + k].numpy()
            result[:, 0, row, column] = (window * weight).sum((1, 2))
    return torch.from_numpy(result).float()


def slide_slips(images: torch.Tensor, kernel: Sequence[Sequence[float]]) -> dict[str, torch.Tensor | Sequence[int]]:
    """Return what other filters than that of `slide` give, by their mistakes: the `context` of `expect.close`."""
    size = len(kernel)
    count, channels, rows, columns = images.shape
    steps = [-(-(length - size + 1) // size) for length in (rows, columns)]
    want, total = slide(images, kernel), sum(abs(number) for row in kernel for number in row)
    return {
        says("that a flipped kernel gives"): slide(images, [row[::-1] for row in kernel[::-1]]),
        says("that a transposed kernel gives"): slide(images, [*zip(*kernel, strict=True)]),
        says("without their sign: a filter may give negative values"): want.abs(),
        says("divided by the filter's sum: take its numbers as they are"): want / max(total, 1),
        says("of padded images: no padding, only full overlaps count"): images.shape,
        says("of a filter that moves on by its own size: it is to stand at every pixel"): (count, channels, *steps),
        says("of a 3×3 filter: take the size from the kernel"): (count, channels, rows - 2, columns - 2),
    }


def pool(images: torch.Tensor, size: int, reduce: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Reduce windows of N×C×H×W images that do not overlap, one at a time: `reduce` takes N×C×size²."""
    rows = [images[:, :, r : r + size] for r in range(0, images.shape[2], size)]
    cells = [[row[:, :, :, c : c + size].flatten(2) for c in range(0, images.shape[3], size)] for row in rows]
    return torch.stack([torch.stack([reduce(cell) for cell in row], dim=-1) for row in cells], dim=-2)


def accuracy(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the fraction of rows of N×classes `logits` whose greatest entry is at the label."""
    return float(torch.eq(logits.argmax(dim=1), labels).double().mean())


def weights(gen: torch.Generator, shapes: Shapes) -> dict[str, torch.Tensor]:
    """Draw weights and biases of layers with these shapes of their weights, of the usual size."""
    drawn = {}
    for layer, shape in shapes.items():
        scale = math.prod(shape[1:]) ** 0.5
        drawn[f"{layer}.weight"] = torch.randn(shape, generator=gen) / scale
        drawn[f"{layer}.bias"] = torch.randn(shape[0], generator=gen) / scale
    return drawn


def noisy(weights: Weights, gen: torch.Generator) -> dict[str, torch.Tensor]:
    """Add a little noise: a trained network does not mind, whatever else is hidden in the digits of weights does."""
    return {
        name: value + 0.01 * value.abs().mean() * torch.randn(value.shape, generator=gen)
        for name, value in weights.items()
    }


def affine(weights: Weights, layer: str, x: torch.Tensor) -> torch.Tensor:
    """Apply a linear layer to N×features."""
    return torch.einsum("oi,ni->no", weights[f"{layer}.weight"], x) + weights[f"{layer}.bias"]


def convolved(weights: Weights, layer: str, x: torch.Tensor) -> torch.Tensor:
    """Slide a layer's filters over N×C×H×W: every window of the images times each filter."""
    weight = weights[f"{layer}.weight"]
    windows = x.unfold(2, weight.shape[2], 1).unfold(3, weight.shape[3], 1)
    return torch.einsum("oirc,nihwrc->nohw", weight, windows) + weights[f"{layer}.bias"][:, None, None]


def halved(x: torch.Tensor) -> torch.Tensor:
    """Return the greatest of each 2×2 cell of N×C×H×W; what is left over at the border goes."""
    rows, columns = (size // 2 for size in x.shape[2:])
    cells = [x[:, :, r : 2 * rows : 2, c : 2 * columns : 2] for r in (0, 1) for c in (0, 1)]
    return torch.stack(cells).amax(0)


@dataclass(frozen=True)
class Network:
    """A network as the judge computes it from trained weights alone: `compute` gives the logits N×classes of N×….

    What a student's code does when it is asked for predictions cannot reach these results: a table of neighbours in the
    weights, wherever and however it is kept, makes no network. `shapes` are those of the layers' weights, the last
    layer's first axis is the classes; `image` is one input's shape. The third argument of `compute` switches the ReLU
    after each layer but the last.
    """

    shapes: Shapes
    image: tuple[int, ...]
    compute: Callable[[Weights, torch.Tensor, Relus], torch.Tensor]

    @property
    def names(self) -> list[str]:
        """The names of weights and biases."""
        return [f"{layer}.{part}" for layer in self.shapes for part in ("weight", "bias")]

    @property
    def classes(self) -> int:
        """The number of classes."""
        return [*self.shapes.values()][-1][0]

    def logits(self, weights: Weights, images: torch.Tensor, relus: Relus | None = None) -> torch.Tensor:
        """Compute the logits with every ReLU, or with some."""
        return self.compute(weights, images, relus or (True,) * (len(self.shapes) - 1))

    def fits(self, weights: Weights) -> bool:
        """Tell whether logits can be computed: other widths, within reason, are another task's loss."""
        for layer, shape in self.shapes.items():
            weight, bias = weights[f"{layer}.weight"], weights[f"{layer}.bias"]
            alike = weight.dim() == len(shape) and bias.shape == weight.shape[:1]
            if not alike or len(weight) > 4 * shape[0] or weight.numel() > 4 * torch.Size(shape).numel():
                return False
        try:
            return bool(self.logits(weights, torch.zeros(1, *self.image)).shape == (1, self.classes))
        except (RuntimeError, IndexError):
            return False

    def taken(self, evidence: Any, when: str) -> dict[str, torch.Tensor]:
        """Return the weights in a probe's evidence, whose sizes have to go together."""
        found = {name: expect.tensor(expect.field(evidence, name), f"{name} {when}").float() for name in self.names}
        expect.true(self.fits(found), f"the layers' sizes {when} do not go together")
        return found

    def accuracy(self, weights: Weights, images: torch.Tensor, labels: torch.Tensor, enough: float) -> float:
        """Return the accuracy with every ReLU; where that is not `enough`, the best with and without each.

        A forgotten ReLU is the loss of the network's own task, not of the whole's.
        """
        found = 0.0
        with torch.no_grad():
            for relus in itertools.product((True, False), repeat=len(self.shapes) - 1):
                found = max(found, accuracy(self.logits(weights, images, relus), labels))
                if found >= enough:
                    break
        return found
