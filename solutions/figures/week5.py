"""Draws week 5's figures: convolution, padding, channels, pooling, LeNet."""

from __future__ import annotations

from collections.abc import Iterator

from solutions.figures.drawing import COLOURS, Drawing, signed
from solutions.figures.networks import lenet

PICTURE = [[1, 2, 0, 1], [0, 1, 3, 1], [2, 1, 0, 0], [1, 0, 2, 1]]
FILTER = [[1, 0], [2, -1]]
POOLED = [[1, 3, 2, 0], [5, 7, 4, 2], [0, 1, 8, 8], [3, 0, 8, 4]]


def drawings() -> Iterator[Drawing]:
    yield convolution_steps()
    yield padding_and_stride()
    yield channels()
    yield pooling()
    yield lenet()


def sums() -> list[list[int]]:
    """What the filter makes of the picture, by plain loops."""
    size, k = len(PICTURE), len(FILTER)
    return [
        [sum(FILTER[a][b] * PICTURE[i + a][j + b] for a in range(k) for b in range(k)) for j in range(size - k + 1)]
        for i in range(size - k + 1)
    ]


def convolution_steps() -> Drawing:
    """Nine steps, each at the place that its sum has in the result."""
    found = sums()
    drawing = Drawing(
        "convolution-steps",
        "The nine steps of a convolution, with numbers",
        f"The filter {FILTER} slides over the picture {PICTURE}. Nine panels in three rows show where it stands; "
        f"the sums are {', '.join(str(value) for row in found for value in row)}, which make a picture of 3 by 3.",
        780,
        590,
    )
    drawing.text(65, 30, "filter", "large")
    drawing.grid(25, 42, [[signed(v) for v in row] for row in FILTER], 40, "two")
    drawing.text(65, 190, "result", "large")
    drawing.grid(5, 202, [[signed(v) for v in row] for row in found], 40, "three")
    for i in range(3):
        for j in range(3):
            _step(drawing, 160 + j * 210, 25 + i * 190, i, j, found[i][j])
    return drawing


def _step(drawing: Drawing, x: float, y: float, row: int, column: int, total: int) -> None:
    cell = 32
    drawing.grid(x, y, PICTURE, cell)
    drawing.grid(
        x + column * cell, y + row * cell, [r[column : column + 2] for r in PICTURE[row : row + 2]], cell, "two"
    )
    products = [(FILTER[a][b], PICTURE[row + a][column + b]) for a in range(2) for b in range(2)]
    words = " + ".join(f"{signed(a)}·{b}" for a, b in products)
    drawing.text(x, y + 4 * cell + 18, f"{words} = {signed(total)}", "left mono small")


def padding_and_stride() -> Drawing:
    """Where a filter of 3 stands over a row of pixels, for paddings and strides."""
    cases = [(5, 0, 1), (5, 1, 1), (5, 0, 2), (5, 1, 2), (6, 0, 2)]
    told = [f"{size} pixels, padding {p}, stride {s}: {outputs(size, p, s)}" for size, p, s in cases]
    drawing = Drawing(
        "padding-and-stride",
        "Padding and stride",
        "A row of pixels in each diagram, and under it a bar for each position of a filter of 3. "
        "Results: "
        + "; ".join(told)
        + ". In the last one a third position would hang over the edge, and is not taken.",
        800,
        500,
    )
    for place, case in enumerate(cases):
        _positions(drawing, 40 + place % 2 * 400, 45 + place // 2 * 165, *case)
    return drawing


def outputs(size: int, padding: int, stride: int, kernel: int = 3) -> int:
    """The number of positions, counted one by one."""
    return sum(1 for start in range(0, size + 2 * padding, stride) if start + kernel <= size + 2 * padding)


def _positions(drawing: Drawing, x: float, y: float, size: int, padding: int, stride: int) -> None:
    cell, count = 40, outputs(size, padding, stride)
    title = f"{size} pixels, padding {padding}, stride {stride} → {count}"
    drawing.text(x, y - 14, title, "left large")
    for place in range(size + 2 * padding):
        is_padding = not padding <= place < padding + size
        drawing.rect(x + place * cell, y, cell, cell, "dashed" if is_padding else "one")
        drawing.text(x + (place + 0.5) * cell, y + 25, "0" if is_padding else "x", "mono")
    for number in range(count):
        drawing.rect(x + number * stride * cell + 2, y + 48 + number * 13, 3 * cell - 4, 9, "two", 3)
    hanging = count * stride
    if hanging + 3 > size + 2 * padding and hanging < size + 2 * padding and stride > 1 and size % 2 == 0:
        drawing.rect(x + hanging * cell + 2, y + 48 + count * 13, 3 * cell - 4, 9, "dashed", 3)
        drawing.text(x + hanging * cell, y + 48 + count * 13 + 24, "hangs over: not taken", "left small quiet")


def channels() -> Drawing:
    """Three channels, two filters as deep as these, two feature maps."""
    drawing = Drawing(
        "channels",
        "Channels and depth",
        "On the left an input of 3 channels, 6 by 6. In the middle two filters, each of 3 by 3 and 3 channels deep. "
        "On the right the output: 2 channels of 4 by 4, one made by each filter from all three input channels.",
        760,
        330,
    )
    _stack(drawing, 40, 95, 6, ("one", "one", "one"), 20)
    drawing.text(120, 290, "input: 3 × 6 × 6")
    for number, kind in enumerate(("two", "three")):
        y = 50 + number * 140
        _stack(drawing, 330, y, 3, (kind,) * 3, 20)
        drawing.text(376, y + 105, f"filter {number + 1}: 3 × 3 × 3")
        drawing.arrow(235, 165, 318, y + 45)
        drawing.arrow(450, y + 45, 568, 140 + number * 22)
    _stack(drawing, 585, 105, 4, ("two", "three"), 20)
    drawing.text(640, 290, "output: 2 × 4 × 4")
    drawing.text(380, 25, "A filter is as deep as its input. Each filter makes one channel of the output.", "large")
    return drawing


def _stack(drawing: Drawing, x: float, y: float, size: int, kinds: tuple[str, ...], cell: float) -> None:
    for number in reversed(range(len(kinds))):
        for i in range(size):
            for j in range(size):
                drawing.rect(x + number * 14 + j * cell, y + number * 14 + i * cell, cell, cell, kinds[number])


def pooling() -> Drawing:
    """Max and mean pooling of one picture."""
    windows = [[[POOLED[2 * i + a][2 * j + b] for a in range(2) for b in range(2)] for j in range(2)] for i in range(2)]
    largest = [[max(window) for window in row] for row in windows]
    means = [[sum(window) // 4 for window in row] for row in windows]
    drawing = Drawing(
        "pooling",
        "Max pooling and mean pooling",
        f"A picture of 4 by 4, {POOLED}, in four windows of 2 by 2. Max pooling gives {largest}, mean pooling {means}.",
        700,
        260,
    )
    for i in range(2):
        for j in range(2):
            kind = COLOURS[2 * i + j]
            part = [row[2 * j : 2 * j + 2] for row in POOLED[2 * i : 2 * i + 2]]
            drawing.grid(40 + 2 * j * 44, 50 + 2 * i * 44, part, 44, kind)
            drawing.grid(340 + j * 44, 95 + i * 44, [[largest[i][j]]], 44, kind)
            drawing.grid(560 + j * 44, 95 + i * 44, [[means[i][j]]], 44, kind)
    drawing.text(128, 35, "4 × 4", "large")
    drawing.text(384, 80, "largest of each", "large")
    drawing.text(604, 80, "mean of each", "large")
    drawing.arrow(230, 138, 325, 138)
    drawing.arrow(445, 138, 545, 138)
    drawing.text(495, 128, "or", "quiet")
    return drawing
