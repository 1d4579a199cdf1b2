"""Shows a student more beside the verdict of a public check: `show.curve`, `show.confusion`, `show.mistakes`.

Evidence is untrusted, and nothing here judges it: what cannot be shown is left out. `show.stand_in` notes that a check
used a part of its own in place of the student's.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from grader.inside import says
from grader.results.exhibits import Confusion, Curve, Exhibit, Mistake, Mistakes

MOST_VALUES = 64


def curve(title: str, losses: object, band: Mapping[str, Any]) -> None:
    """Show the mean of each `band["per"]` losses, and the reference's range from `band["low"]` to `band["high"]`."""
    if type(losses) not in (list, tuple):
        return
    assert isinstance(losses, (list, tuple))
    plain = [float(loss) for loss in losses[: MOST_VALUES * band["per"]] if type(loss) is float]
    values = means(plain, band["per"])
    if len(plain) == len(losses) and values and all(map(math.isfinite, values)):
        _exhibits.append(Curve(title, tuple(values), tuple(band["low"]), tuple(band["high"]), band["per"]))


def means(values: Sequence[float], per: int) -> list[float]:
    """Return the mean of each `per` values, to four digits; values left over at the end have a mean of their own."""
    parts = [values[start : start + per] for start in range(0, len(values), per)]
    return [float(f"{sum(part) / len(part):.4g}") for part in parts]


def confusion(logits: torch.Tensor, labels: torch.Tensor, names: Sequence[str]) -> None:
    """Show which classes are taken for which: N×C logits that were judged already, N labels, C names."""
    order = sorted(range(len(names)), key=lambda number: names[number])
    counts = torch.zeros(len(names), len(names), dtype=torch.int64)
    counts.index_put_((labels, logits.argmax(1)), torch.ones_like(labels), accumulate=True)
    rows = tuple(tuple(int(counts[row, column]) for column in order) for row in order)
    title = says(f"What was taken for what, in {len(labels)} test images")
    _exhibits.append(Confusion(title, tuple(names[n] for n in order), rows))


def mistakes(
    images: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor, names: Sequence[str], most: int = 6
) -> None:
    """Show the wrong answers that the network is surest of: uint8 images N×1×H×W or N×3×H×W, and as for `confusion`."""
    sure, taken = logits.double().softmax(1).max(1)
    wrong = (taken != labels).nonzero().flatten()
    surest = wrong[sure[wrong].argsort(descending=True, stable=True)][:most].tolist()
    entries = [
        Mistake(_png(images[n]), names[int(labels[n])], names[int(taken[n])], round(float(sure[n]), 3)) for n in surest
    ]
    if entries:
        _exhibits.append(Mistakes(says("Wrong answers that your network was surest of"), tuple(entries)))


def stand_in(own: object, parts: Mapping[str, str]) -> None:
    """Note each of `parts` (a key of the evidence, and a name) for which `own[key]` is not True.

    The student's process itself says which parts it could use. A lie there deceives its own author alone.
    """
    for key, name in parts.items():
        if type(own) is not dict or own.get(key) is not True:
            _stand_ins.append(name)


def take() -> tuple[tuple[Exhibit, ...], tuple[str, ...]]:
    """Return the exhibits and the names of stand-ins since the last call."""
    taken = tuple(_exhibits), tuple(dict.fromkeys(_stand_ins))
    _exhibits.clear()
    _stand_ins.clear()
    return taken


_exhibits: list[Exhibit] = []
_stand_ins: list[str] = []


def _png(image: torch.Tensor) -> str:
    from PIL import Image  # noqa: PLC0415 - most checks show no image, and students wait for every import

    pixels = image.squeeze(0).numpy() if image.shape[0] == 1 else image.permute(1, 2, 0).contiguous().numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")
