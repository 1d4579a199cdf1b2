"""Draws week 7's figure: a residual block, with its shortcut and its shapes."""

from __future__ import annotations

from collections.abc import Iterator

from solutions.figures.drawing import Drawing

Shape = tuple[int, int, int]
SAME: tuple[Shape, Shape] = ((8, 28, 28), (8, 28, 28))  # one image before and after a block with stride 1
HALVED: tuple[Shape, Shape] = ((8, 28, 28), (16, 14, 14))  # and with stride 2

LEFT, GAP, WIDTH, HEIGHT, SUM = 30, 30, 92, 46, 34
ROW = 215


def drawings() -> Iterator[Drawing]:
    yield residual_block()


def residual_block() -> Drawing:
    """Two blocks, one over the other: x is added as it is, or by way of a projection where the shape changes."""
    drawing = Drawing(
        "residual-block",
        "A residual block and its shortcut",
        "Two blocks. In both, x goes through conv1, bn1 and ReLU, conv2 and bn2; the shortcut leads around them to a "
        f"sum, and a ReLU comes after the sum. With stride 1, {_words(SAME[0])} stays {_words(SAME[1])}, and the "
        f"shortcut adds x as it is. With stride 2, {_words(HALVED[0])} becomes {_words(HALVED[1])}, and the shortcut "
        "is a projection: a 1×1 convolution with stride 2 and a batch normalisation, so that both sides of the sum "
        "have one shape.",
        LEFT * 2 + 6 * (WIDTH + GAP) + SUM,
        2 * ROW + 10,
    )
    _block(drawing, 0, "The shape stays: the shortcut is x itself", SAME, stride=1)
    _block(drawing, ROW, "The shape changes: the shortcut is a projection", HALVED, stride=2)
    return drawing


def _block(drawing: Drawing, top: float, title: str, shapes: tuple[Shape, Shape], stride: int) -> None:
    """Draw the path through the convolutions as a row of boxes, and the shortcut above it."""
    before, after = (_words(shape) for shape in shapes)
    middle = top + 155
    drawing.text(drawing.width / 2, top + 28, title, "large")
    steps = [
        ("x", "", before, "none"), ("conv1", f"3×3, stride {stride}", after, "one"), ("bn1", "ReLU", after, "box"),
        ("conv2", "3×3, stride 1", after, "one"), ("bn2", "", after, "box"), ("+", "", "", "three"),
        ("ReLU", "", after, "box"),
    ]  # fmt: skip
    x = float(LEFT)
    for place, (name, detail, shape, kind) in enumerate(steps):
        width = SUM if name == "+" else WIDTH
        if place:
            drawing.arrow(x - GAP + 3, middle, x - 3, middle)
        _box(drawing, x, middle, width, name, detail, kind)
        drawing.text(x + width / 2, middle + HEIGHT / 2 + 18, shape, "mono small")
        x += width + GAP
    _shortcut(drawing, top + 75, middle, projects=stride > 1)


def _box(drawing: Drawing, x: float, middle: float, width: float, name: str, detail: str, kind: str) -> None:
    height = width if name == "+" else HEIGHT
    drawing.rect(x, middle - height / 2, width, height, kind, height / 2 if name == "+" else 4)
    drawing.text(x + width / 2, middle + (-3 if detail else 5), name)
    if detail:
        drawing.text(x + width / 2, middle + 14, detail, "small")


def _shortcut(drawing: Drawing, height: float, middle: float, projects: bool) -> None:
    """Draw the way from x, up and over the convolutions, down to the sum."""
    start, end = LEFT + WIDTH / 2, LEFT + 5 * (WIDTH + GAP) + SUM / 2
    drawing.line([(start, middle - HEIGHT / 2), (start, height), (end, height)])
    drawing.arrow(end, height, end, middle - SUM / 2 - 3)
    if projects:
        _box(drawing, (start + end) / 2 - 112, height, 224, "shortcut", "1×1, stride 2; batch normalisation", "two")
    else:
        drawing.text((start + end) / 2, height - 9, "shortcut: x as it is", "small")


def _words(shape: Shape) -> str:
    return "×".join(str(size) for size in shape)
