"""Describes values of any size in short texts that are safe to print: arrays by shape, small ones in full."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.inside import says

LONGEST = 200
FEW = 12
MOST_OUTPUT, MOST_LINES = 1000, 12


def brief(value: Any, few: int = FEW) -> str:
    """Describe `value` in one line of at most `LONGEST` characters, with arrays of up to `few` numbers in full."""
    return clip(_text(value, 0, few))


def clip(text: str, longest: int = LONGEST) -> str:
    """Return `text` on one line, cut with an ellipsis where it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def excerpt(text: str) -> str:
    """Return the first lines of what a program printed."""
    lines = text[:MOST_OUTPUT].splitlines()
    cut = len(lines) > MOST_LINES or len(text) > MOST_OUTPUT
    return "\n".join([*lines[:MOST_LINES], *(["…"] if cut else [])])


def _text(value: Any, depth: int, few: int) -> str:
    if _is_array(value):
        return _array(value, few)
    if isinstance(value, float):
        return f"{value:.7g}"
    if depth < 3 and type(value) in (list, tuple):
        return _sequence(value, depth, few)
    if depth < 3 and type(value) is dict:
        entries = [f"{_text(k, depth + 1, few)}: {_text(v, depth + 1, few)}" for k, v in list(value.items())[:FEW]]
        return "{" + ", ".join(entries) + (", …" if len(value) > FEW else "") + "}"
    if type(value) in (str, bytes):
        return repr(value[:LONGEST])
    if value is None or type(value) in (bool, int):
        return str(value) if not isinstance(value, int) or value.bit_length() < 512 else says("a huge int")
    return f"a {type(value).__name__}"


def _sequence(value: list[Any] | tuple[Any, ...], depth: int, few: int) -> str:
    inner = ", ".join(_text(entry, depth + 1, few) for entry in value[:FEW]) + (", …" if len(value) > FEW else "")
    if isinstance(value, list):
        return f"[{inner}]"
    return f"({inner},)" if len(value) == 1 else f"({inner})"


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (
        type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "shape")
    )


def _array(value: Any, few: int) -> str:
    kind = "array" if isinstance(value, np.ndarray) else "tensor"
    dtype = str(value.dtype).removeprefix("torch.")
    size = "×".join(str(n) for n in value.shape) or "scalar"
    head = f"{kind} {size} {dtype}"
    count = int(np.prod(tuple(value.shape)))
    if 0 < count <= few and len(value.shape) < 4:  # with more axes nobody reads the brackets
        return f"{head} {_text(value.tolist(), 0, few)}"
    return head
