"""Draws networks as rows of boxes: a layer's name at every arrow, the shape after it under every box."""

from __future__ import annotations

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


def lenet() -> Drawing:
    return network("lenet", "LeNet, and the shape after every layer", LENET)


def vgg() -> Drawing:
    return network("vgg", "VGG11, and the shape after every block", VGG11)


def network(name: str, title: str, steps: Sequence[Step]) -> Drawing:
    """A row of boxes: as high as the feature map is large, as wide as it has channels, both on a scale of roots."""
    told = ", ".join(f"{what.replace(chr(10), ' ')}: {_shape(shape)}" for what, shape in steps)
    gap, top = 84, 62
    widths = [_width(shape, steps) for _, shape in steps]
    total = round(sum(widths) + gap * (len(steps) - 1) + 70)
    drawing = Drawing(name, title, f"From left to right, {told}.", total, 290)
    x = 35.0
    for place, ((what, shape), width) in enumerate(zip(steps, widths, strict=True)):
        height = _height(shape, steps)
        middle = top + 85
        drawing.rect(x, middle - height / 2, width, height, "one" if len(shape) == 3 else "three", 3)
        drawing.text(x + width / 2, middle + 105 + (place % 2) * 16, _shape(shape), "mono small")
        if place:
            drawing.arrow(x - gap + 6, middle, x - 6, middle)
            for number, line in enumerate(what.split("\n")):
                drawing.text(x - gap / 2, middle - 24 + 14 * number, line, "small")
        x += width + gap
    drawing.text(total / 2, 28, title, "large")
    return drawing


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
