"""Draws week 6's figures: batch normalisation's axes, VGG, and what fine-tuning changes."""

from __future__ import annotations

from collections.abc import Iterator

from solutions.figures.curves import TUNING_EPOCHS, read
from solutions.figures.drawing import COLOURS, Drawing
from solutions.figures.networks import vgg

IMAGES, CHANNELS = 4, 3


def drawings() -> Iterator[Drawing]:
    yield batch_norm_axes()
    yield vgg()
    yield fine_tuning()


def batch_norm_axes() -> Drawing:
    """A batch as a table of feature maps: what has one colour is normalised together."""
    drawing = Drawing(
        "batch-norm-axes",
        "Batch normalisation's axes",
        f"A table of {IMAGES} images by {CHANNELS} channels, a feature map in each cell. For batch normalisation a "
        "column has one colour: one mean and one variance for a channel, over all images, rows and columns of pixels. "
        "For comparison, layer normalisation: a row has one colour, one mean and one variance for an image.",
        760,
        400,
    )
    for left, title, by_channel in ((110, "batch normalisation", True), (490, "layer normalisation", False)):
        drawing.text(left + 105, 28, title, "large")
        for image in range(IMAGES):
            drawing.text(left - 12, 100 + image * 66, f"image {image + 1}", "small quiet")
            for channel in range(CHANNELS):
                _map(drawing, left + 24 + channel * 66, 70 + image * 66, COLOURS[channel if by_channel else image])
        for channel in range(CHANNELS):
            drawing.text(left + 50 + channel * 66, 58, f"channel {channel + 1}", "small quiet")
        count = f"{CHANNELS} means, {CHANNELS} variances" if by_channel else f"{IMAGES} means, {IMAGES} variances"
        drawing.text(left + 105, 352, count)
        over = "each over N·H·W numbers" if by_channel else "each over C·H·W numbers"
        drawing.text(left + 105, 372, over, "quiet")
    return drawing


def _map(drawing: Drawing, x: float, y: float, kind: str) -> None:
    for i in range(3):
        for j in range(3):
            drawing.rect(x + j * 17, y + i * 17, 17, 17, kind)


NAMES = {"tuned": "fine-tuned", "frozen": "features frozen", "scratch": "from scratch"}


def fine_tuning() -> Drawing:
    """How far the weights of each layer move in three kinds of training, as a share of what they were."""
    found = read()["fine_tuning"]
    layers = list(found["tuned"]["moved"])
    told = "; ".join(
        f"{NAMES[kind]}: " + ", ".join(f"{layer} {100 * value:.0f} %" for layer, value in run["moved"].items())
        for kind, run in found.items()
    )
    drawing = Drawing(
        "fine-tuning",
        "What fine-tuning changes",
        f"A bar for each layer, first to head: how far its weights moved in {TUNING_EPOCHS} epochs. {told}. "
        + " ".join(f"Test accuracy {NAMES[kind]}: {100 * run['accuracy']:.0f} %." for kind, run in found.items()),
        820,
        330,
    )
    most = max(value for run in found.values() for value in run["moved"].values())
    for place, (kind, run) in enumerate(found.items()):
        left = 50 + place * 260
        drawing.text(left + 105, 30, NAMES[kind], "large")
        drawing.text(left + 105, 50, f"{100 * run['accuracy']:.0f} % right on the test", "quiet")
        for number, layer in enumerate(layers):
            height = 180 * run["moved"][layer] / most
            x = left + number * 36
            drawing.rect(x, 260 - height, 26, max(height, 1), "two" if layer == "head" else "one")
            drawing.text(x + 13, 254 - height, f"{100 * run['moved'][layer]:.0f}", "small")
            drawing.text(x + 13, 277, layer, "small quiet")
        drawing.line([(left - 6, 260), (left + 215, 260)])
    drawing.text(410, 312, "change of each layer's weights, in % of their length before", "quiet")
    return drawing
