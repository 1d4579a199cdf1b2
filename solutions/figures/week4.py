"""Draws week 4's figures: a computation graph, and learning curves."""

from __future__ import annotations

from collections.abc import Iterator

from solutions.figures.curves import read
from solutions.figures.drawing import Drawing, signed

W, B, INPUT, TARGET = 2, 1, 3, 10


def drawings() -> Iterator[Drawing]:
    yield toy_loss()
    yield learning_curves()


def toy_loss() -> Drawing:
    """The graph of (3w + b − 10)² at w = 2 and b = 1: values on the way there, derivatives on the way back."""
    product = INPUT * W
    error = product + B - TARGET
    slope = 2 * error
    drawing = Drawing(
        "toy-loss",
        "The computation graph of the toy loss",
        f"Boxes from left to right. w = {W} times {INPUT} gives {product}; plus b = {B}, minus {TARGET} gives the "
        f"error {error}; squared it is the loss {error**2}. Backwards, the derivative of the loss is 1 at the loss, "
        f"{slope} at the error, {slope} at b, {slope} at the product, and {slope * INPUT} at w.",
        760,
        270,
    )
    boxes = {
        "w": (70, 70, f"w = {W}", "one"), "times": (230, 70, f"× {INPUT}", "box"), "b": (230, 195, f"b = {B}", "one"),
        "plus": (400, 125, f"+ b − {TARGET}", "box"), "square": (550, 125, "square", "box"),
        "loss": (690, 125, "loss", "three"),
    }  # fmt: skip
    edges = {
        ("w", "times"): (W, slope * INPUT), ("times", "plus"): (product, slope), ("b", "plus"): (B, slope),
        ("plus", "square"): (error, slope), ("square", "loss"): (error**2, 1),
    }  # fmt: skip
    for (start, end), (value, gradient) in edges.items():
        (x, y, *_), (to_x, to_y, *_) = boxes[start], boxes[end]
        drawing.arrow(x + 45, y, to_x - 45, to_y)
        middle = (x + to_x) / 2, (y + to_y) / 2
        drawing.text(middle[0], middle[1] - 12, signed(value), "mono blue")
        drawing.text(middle[0], middle[1] + 24, signed(gradient), "mono orange")
    for x, y, words, kind in boxes.values():
        drawing.rect(x - 45, y - 20, 90, 40, kind, 6)
        drawing.text(x, y + 5, words)
    drawing.text(20, 22, "above a line: the value that goes forward", "left blue")
    drawing.text(20, 258, "below a line: the derivative of the loss by it, which comes back", "left orange")
    return drawing


NAMES = {"underfitting": "underfitting", "fitting": "a good fit", "overfitting": "overfitting"}


def learning_curves() -> Drawing:
    """Training and validation loss of three networks, epoch by epoch."""
    found = read()["learning_curves"]
    ends = {name: (curves["train"][-1], curves["valid"][-1]) for name, curves in found.items()}
    drawing = Drawing(
        "learning-curves",
        "Learning curves of three networks that were really trained",
        "Three diagrams of loss by epoch, training as a solid and validation as a dashed line. "
        + " ".join(f"{NAMES[name]}: training ends at {a:.2f}, validation at {b:.2f}." for name, (a, b) in ends.items()),
        780,
        270,
    )
    for place, (name, curves) in enumerate(found.items()):
        _diagram(drawing, 50 + place * 250, NAMES[name], curves)
    return drawing


def _diagram(drawing: Drawing, left: float, title: str, curves: dict[str, list[float]]) -> None:
    width, height, top, most = 200, 160, 45, 2.5
    drawing.text(left + width / 2, top - 18, title, "large")
    drawing.line([(left, top), (left, top + height), (left + width, top + height)])
    for value in (0, 1, 2):
        y = top + height * (1 - value / most)
        drawing.text(left - 12, y + 4, value, "small quiet")
        drawing.line([(left - 4, y), (left, y)])
    epochs = len(curves["train"])
    for epoch in (1, epochs):
        drawing.text(left + width * (epoch - 1) / (epochs - 1), top + height + 17, epoch, "small quiet")
    drawing.text(left + width / 2, top + height + 17, "epoch", "small quiet")
    for name, kind in (("train", "curve1"), ("valid", "curve2")):
        drawing.line(
            [
                (left + width * n / (epochs - 1), top + height * (1 - min(value, most) / most))
                for n, value in enumerate(curves[name])
            ],
            kind,
        )
    drawing.line([(left, top + height + 42), (left + 24, top + height + 42)], "curve1")
    drawing.text(left + 30, top + height + 46, "training", "left small")
    drawing.line([(left + 92, top + height + 42), (left + 116, top + height + 42)], "curve2")
    drawing.text(left + 122, top + height + 46, "validation", "left small")
