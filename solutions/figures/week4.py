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
        780,
        262,
    )
    top, height = 60, 56
    boxes = {
        "w": (20, top, 90, f"w = {W}", "one"), "p": (215, top, 105, f"p = {INPUT}w", "box"),
        "e": (425, top, 150, f"e = p + b − {TARGET}", "box"), "loss": (665, top, 95, "loss = e²", "three"),
        "b": (425, top + 130, 150, f"b = {B}", "one"),
    }  # fmt: skip
    values = {"p": product, "e": error, "loss": error**2}
    for name, (x, y, width, words, kind) in boxes.items():
        drawing.rect(x, y, width, height, kind, 6)
        drawing.text(x + width / 2, y + (24 if name in values else 33), words, "mono")
        if name in values:
            drawing.text(x + width / 2, y + 44, f"= {signed(values[name])}", "mono blue")
    chain = ("w", "p", "e", "loss")
    ways = (
        f"{signed(slope)} · {INPUT} = {signed(slope * INPUT)}",
        f"{signed(slope)} · 1 = {signed(slope)}",
        f"2e = {signed(slope)}",
    )
    for start, end, way in zip(chain[:-1], chain[1:], ways, strict=True):
        (x, y, width, *_), (to_x, *_) = boxes[start], boxes[end]
        drawing.arrow(x + width, y + 16, to_x, y + 16, "curve1", "blue")
        drawing.arrow(to_x, y + 40, x + width, y + 40, "curve2", "orange")
        drawing.text((x + width + to_x) / 2, y + 60, way, "mono orange small")
    x, y, width, *_ = boxes["b"]
    drawing.arrow(x + 60, y, x + 60, top + height, "curve1", "blue")
    drawing.arrow(x + 90, top + height, x + 90, y, "curve2", "orange")
    drawing.text(x + 98, (top + height + y) / 2 + 4, f"{signed(slope)} · 1 = {signed(slope)}", "left mono orange small")
    drawing.text(65, top + height + 20, f"w.grad = {signed(slope * INPUT)}", "mono orange")
    drawing.text(x + width + 12, y + 33, f"b.grad = {signed(slope)}", "left mono orange")
    drawing.text(20, 22, "forward: each box computes its value from what comes in", "left blue")
    drawing.text(
        20,
        42,
        "backward: the gradient from the right, times the derivative of the box that it goes through",
        "left orange",
    )
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
