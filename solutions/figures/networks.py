"""Draws networks as rows of boxes: a layer's name at every arrow, the shape after it under every box."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from solutions.figures.drawing import Drawing

Step = tuple[str, tuple[int, ...]]  # what is done, and the shape of one image after it

LENET: list[Step] = [
    ("input", (1, 28, 28)), ("conv1\n6 of 5×5", (6, 24, 24)), ("max pool 2\nReLU", (6, 12, 12)),
    ("conv2\n16 of 5×5", (16, 8, 8)), ("max pool 2\nReLU", (16, 4, 4)), ("flatten", (256,)),
    ("fc_1\nReLU", (120,)), ("fc_2\nReLU", (84,)), ("fc_3", (10,)),
]  # fmt: skip
VGG11: list[Step] = [
    ("input", (3, 224, 224)), ("conv 64\npool", (64, 112, 112)), ("conv 128\npool", (128, 56, 56)),
    ("2× conv 256\npool", (256, 28, 28)), ("2× conv 512\npool", (512, 14, 14)), ("2× conv 512\npool", (512, 7, 7)),
    ("avgpool", (512, 7, 7)), ("flatten", (25088,)), ("linear\nReLU", (4096,)), ("linear\nReLU", (4096,)),
    ("linear", (1000,)),
]  # fmt: skip


GAP, TOP, ROW, MARGIN = 84, 62, 235, 35


def lenet() -> Drawing:
    return network("lenet", "LeNet, and the shape after every layer", LENET)


def vgg() -> Drawing:
    return network("vgg", "VGG11, and the shape after every block", VGG11, breaks=(7,))


def network(name: str, title: str, steps: Sequence[Step], breaks: Sequence[int] = ()) -> Drawing:
    """Rows of boxes: as high as the feature map is large, as wide as it has channels, both on a scale of roots.

    `breaks` are the places at which a new row begins.
    """
    told = ", ".join(f"{what.replace(chr(10), ' ')}: {_shape(shape)}" for what, shape in steps)
    ends = [0, *breaks, len(steps)]
    rows = [steps[first:last] for first, last in itertools.pairwise(ends)]
    width = max(_length(row, steps, place > 0) for place, row in enumerate(rows))
    drawing = Drawing(name, title, f"From left to right, {told}.", width, TOP + ROW * len(rows) - 7)
    drawing.text(width / 2, 28, title, "large")
    for place, row in enumerate(rows):
        _row(drawing, row, steps, TOP + ROW * place + 85, goes_on=place > 0)
    return drawing


def _length(row: Sequence[Step], steps: Sequence[Step], goes_on: bool) -> int:
    gaps = len(row) - 1 + goes_on
    return round(sum(_width(shape, steps) for _, shape in row) + GAP * gaps + 2 * MARGIN)


def _row(drawing: Drawing, row: Sequence[Step], steps: Sequence[Step], middle: float, goes_on: bool) -> None:
    """Draw some of the steps; a row that goes on begins with an arrow."""
    x = float(MARGIN + (GAP if goes_on else 0))
    for place, (what, shape) in enumerate(row):
        width, height = _width(shape, steps), _height(shape, steps)
        drawing.rect(x, middle - height / 2, width, height, "one" if len(shape) == 3 else "three", 3)
        drawing.text(x + width / 2, middle + 105 + (place % 2) * 16, _shape(shape), "mono small")
        if place or goes_on:
            drawing.arrow(x - GAP + 6, middle, x - 6, middle)
            for number, line in enumerate(what.split("\n")):
                drawing.text(x - GAP / 2, middle - 24 + 14 * number, line, "small")
        x += width + GAP


def _shape(shape: Sequence[int]) -> str:
    return "×".join(str(size) for size in shape)


def _height(shape: Sequence[int], steps: Sequence[Step]) -> float:
    if len(shape) == 1:
        return 20 + 120 * math.sqrt(shape[0] / max(s[0] for _, s in steps if len(s) == 1))
    return 15 + 135 * math.sqrt(shape[1] / steps[0][1][1])


def _width(shape: Sequence[int], steps: Sequence[Step]) -> float:
    if len(shape) == 1:
        return 12
    return 10 + 40 * math.sqrt(shape[0] / max(s[0] for _, s in steps if len(s) == 3))
