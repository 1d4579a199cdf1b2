"""Draws week 7's figures: a residual block, what depth does without it, the schedule, mixup, and Grad-CAM maps."""

from __future__ import annotations

from collections.abc import Iterator

from solutions.figures.curves import read
from solutions.figures.deep import recipe
from solutions.figures.drawing import Drawing

Shape = tuple[int, int, int]
SAME: tuple[Shape, Shape] = ((8, 28, 28), (8, 28, 28))  # one image before and after a block with stride 1
HALVED: tuple[Shape, Shape] = ((8, 28, 28), (16, 14, 14))  # and with stride 2

LEFT, GAP, WIDTH, HEIGHT, SUM = 30, 30, 92, 46, 34
ROW = 215


CELL = 9  # of a digit's pixels, on the sheet
SHARE = 0.7  # λ


def drawings() -> Iterator[Drawing]:
    yield plain_and_residual()
    yield residual_block()
    yield schedule()
    yield mixup()
    yield grad_cam()


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


def plain_and_residual() -> Drawing:
    """The training loss of three networks, epoch by epoch."""
    found: dict[str, list[float]] = read()["depths"]
    drawing = Drawing(
        "plain-and-residual",
        "Training loss: two plain networks and a residual one",
        "Loss on the training images by epoch. "
        + " ".join(f"{name}: from {losses[0]:.2f} to {losses[-1]:.2f}." for name, losses in found.items())
        + " The deep plain network stays far above the other two, which end close together.",
        380,
        290,
    )
    left, top, width, height, most = 45, 20, 320, 220, 2.4
    epochs = len(next(iter(found.values())))
    _axes(drawing, left, top, width, height, [(value / most, value) for value in (0, 1, 2)])
    for epoch in (1, epochs):
        drawing.text(left + width * (epoch - 1) / (epochs - 1), top + height + 18, epoch, "small quiet")
    drawing.text(left + width / 2, top + height + 18, "epoch", "small quiet")
    kinds = (("curve2", "orange"), ("curve3", "green"), ("curve1", "blue"))
    for place, ((name, losses), (kind, colour)) in enumerate(zip(found.items(), kinds, strict=True)):
        drawing.line(
            [(left + width * n / (epochs - 1), top + height * (1 - value / most)) for n, value in enumerate(losses)],
            kind,
        )
        x, y = left + width - 190, top + 8 + 20 * place
        drawing.line([(x, y), (x + 26, y)], kind)
        drawing.text(x + 34, y + 4, f"{name}: {losses[-1]:.2f}", f"left {colour}")
    return drawing


def schedule() -> Drawing:
    """The factor of the learning rate: of few steps as bars, of many as a curve."""
    few, many = (2, 6, 8), (20, 100, 110)  # steps of warm-up, in all, and drawn
    factors = [recipe.warmup_cosine(step, few[1], few[0]) for step in range(few[2])]
    drawing = Drawing(
        "schedule",
        "Warm-up and cosine",
        f"The factor of the learning rate by step. At the left {few[0]} steps of warm-up of {few[1]}: "
        + ", ".join(f"{value:.3g}" for value in factors)
        + f". At the right {many[0]} of {many[1]}: it rises in a straight line to 1, falls along half a cosine to 0, "
        "and stays there.",
        780,
        250,
    )
    top, height = 50, 150
    for left, (warmup, total, drawn) in ((60, few), (440, many)):
        width = 300
        drawing.text(left + width / 2, top - 24, f"w = {warmup}, T = {total}", "large")
        _axes(drawing, left, top, width, height, [(0, 0), (0.5, "½"), (1, 1)])
        for step in (0, warmup, total):
            drawing.text(left + width * (step + 0.5) / drawn, top + height + 18, step, "small quiet")
        drawing.text(left + width * 0.55, top + height + 36, "step", "small quiet")
    for step, value in enumerate(factors):
        x, y = 60 + 300 * step / few[2], top + height * (1 - value)
        drawing.rect(x + 6, y, 300 / few[2] - 12, height * value, "one" if step < few[0] else "two")
        drawing.text(x + 150 / few[2], y - 5, f"{value:.3g}", "small")
    curve = [
        (440 + 300 * (step + 0.5) / many[2], top + height * (1 - recipe.warmup_cosine(step, many[1], many[0])))
        for step in range(many[2])
    ]
    drawing.line(curve[: many[0] + 1], "curve1")
    drawing.line(curve[many[0] :], "curve2")
    drawing.text(curve[many[0] // 2][0] + 10, top + height - 20, "warm-up", "left small blue")
    drawing.text(curve[60][0] + 14, top + height / 2, "cosine", "left small orange")
    return drawing


def mixup() -> Drawing:
    """Two digits and their blend, with the targets under them."""
    first, second = (look for look in read()["looks"] if look["digit"] in (6, 1))
    first, second = (second, first) if first["digit"] == 1 else (first, second)
    blend = [
        [SHARE * a + (1 - SHARE) * b for a, b in zip(one, other, strict=True)]
        for one, other in zip(first["pixels"], second["pixels"], strict=True)
    ]
    part = f"{1 - SHARE:.1f}"
    drawing = Drawing(
        "mixup",
        "Mixup of two digits",
        f"A 6 of which {SHARE} is taken, a 1 of which {part} is taken, and their sum: both digits over each other, the "
        f"6 stronger. Its target is {SHARE} for the class 6, {part} for the class 1, and 0 for the other eight.",
        620,
        230,
    )
    side = 14 * CELL
    pictures = (
        (40, first["pixels"], f"{SHARE} · this 6", "target 6: 1"),
        (247, second["pixels"], f"{part} · this 1", "target 1: 1"),
        (454, [[round(value) for value in row] for row in blend], "what is trained with", f"6: {SHARE}, 1: {part}"),
    )
    for (x, pixels, above, under), sign in zip(pictures, ("+", "=", ""), strict=True):
        drawing.rect(x, 45, side, side, "none")
        drawing.pixels(x, 45, pixels, CELL)
        drawing.text(x + side / 2, 30, above)
        drawing.text(x + side / 2, 45 + side + 24, under, "mono")
        if sign:
            drawing.text(x + side + 40, 45 + side / 2 + 8, sign, "large")
    return drawing


def grad_cam() -> Drawing:
    """Digits, and under each one its map over it."""
    found = read()["looks"]
    peaks = {look["digit"]: _peak(look["map"]) for look in found}
    drawing = Drawing(
        "grad-cam",
        "Grad-CAM maps of three digits",
        "Three digits of 14×14 pixels, and under each the same digit with a map of 7×7 over it, in colour. "
        + " ".join(
            f"For the {digit} the map is greatest in row {row}, column {column}."
            for digit, (row, column) in peaks.items()
        ),
        620,
        400,
    )
    side = 14 * CELL
    for place, look in enumerate(found):
        x = 100 + place * 165
        drawing.text(x + side / 2, 28, f"read as {look['said']}")
        for top in (42, 62 + side):
            drawing.rect(x, top, side, side, "none")
            drawing.pixels(x, top, look["pixels"], CELL)
        drawing.pixels(x, 62 + side, [[0.75 * value for value in row] for row in look["map"]], 2 * CELL, "heat")
    drawing.text(70, 42 + side / 2, "image", "small quiet")
    drawing.text(70, 62 + side * 1.5, "map", "small quiet")
    drawing.text(310, 94 + 2 * side, "the stronger the colour, the more the place spoke for the class", "small quiet")
    return drawing


def _axes(
    drawing: Drawing, left: float, top: float, width: float, height: float, marks: list[tuple[float, object]]
) -> None:
    """Draw two axes, with marks at these shares of the height."""
    drawing.line([(left, top), (left, top + height), (left + width, top + height)])
    for share, words in marks:
        y = top + height * (1 - share)
        drawing.text(left - 14, y + 4, words, "small quiet")
        drawing.line([(left - 4, y), (left, y)])


def _peak(heatmap: list[list[int]]) -> tuple[int, int]:
    """Row and column of the greatest value, from 1."""
    places = [(value, row, column) for row, values in enumerate(heatmap, 1) for column, value in enumerate(values, 1)]
    return max(places)[1:]
