"""Evidence that no honest probe gives: any value that the codec carries, at any place of the right evidence."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from grader.inside import codec

NUMBERS: list[Any] = [
    *(0, 1, -1, 2, 3, 255, 2**31, 2**62, 2**63 - 1, -(2**63), True, False),
    *(0.0, -0.0, 0.5, 1e-300, 1e308, float("nan"), float("inf"), -float("inf")),
]
WORDS: list[Any] = ["", "x", "nan", "0", "weight", "\N{SNOWMAN}\n\0", "x" * 5000, b"", b"x\0", None]
SHAPES: list[tuple[int, ...]] = [(), (0,), (1,), (2,), (3, 0), (1, 1), (2, 3), (3, 2, 2), (1, 1, 1, 1), (1,) * 8]


def replaced(draw: random.Random, value: Any) -> Any:
    """`value` with something odd in its place, or in the place of one of its parts, at any depth."""
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else []
    if not parts or draw.random() < 0.2:
        return odd(draw, value)
    place = draw.randrange(len(parts))
    changed = [replaced(draw, part) if i == place else part for i, part in enumerate(parts)]
    return dict(zip(value, changed, strict=True)) if isinstance(value, dict) else type(value)(changed)


def odd(draw: random.Random, value: Any) -> Any:
    """Anything that the codec carries; more often something near to `value`, which gets deeper into a check."""
    if draw.random() < 0.6:
        if isinstance(value, (torch.Tensor, np.ndarray)):
            return odd_array(draw, value)
        if isinstance(value, dict):
            return odd_dict(draw, value)
        if isinstance(value, (list, tuple)):
            return odd_list(draw, list(value), type(value))
        if isinstance(value, (int, float)):
            return odd_number(draw, value)
    return anything(draw, 3)


def anything(draw: random.Random, depth: int) -> Any:
    """A value of one of the codec's types, nested at most `depth` deep."""
    kind = draw.randrange(7 if depth else 4)
    if kind < 2:
        return draw.choice(NUMBERS if kind else WORDS)
    if kind < 4:
        return array(draw, draw.choice(SHAPES), draw.choice(sorted(codec.DTYPES)), as_tensor=kind == 2)
    parts = [anything(draw, depth - 1) for _ in range(draw.randrange(4))]
    if kind == 6:
        return {draw.choice(["a", "weight", "0", 0, 1, -1]): part for part in parts}
    return parts if kind == 4 else tuple(parts)


def array(draw: random.Random, shape: tuple[int, ...], dtype: str, *, as_tensor: bool) -> Any:
    """A tensor, or NumPy's array, whose bytes are drawn: so of floats it may hold NaN, infinity and denormals."""
    if dtype == "bfloat16" and not as_tensor:
        dtype = "float32"
    count = int(np.prod(shape)) * codec.DTYPES[dtype].itemsize
    filled = draw.choice([draw.randbytes(count), bytes(count), b"\xff" * count])
    rebuild: Any = codec.rebuild_tensor if as_tensor else codec.rebuild_array
    return rebuild(dtype, list(shape), bytearray(filled))


def odd_array(draw: random.Random, value: Any) -> Any:
    """The same numbers in another dtype, shape, order or kind of array; or other numbers in the same shape."""
    as_tensor = isinstance(value, torch.Tensor)
    tensor = value if as_tensor else torch.from_numpy(np.array(value))
    way = draw.randrange(8)
    if way < 2:
        tensor = tensor.to(codec.DTYPES[draw.choice(sorted(codec.DTYPES))])
    elif way == 2:
        tensor = (
            draw.choice([tensor.flatten(), tensor[None], tensor.squeeze(), tensor[..., None], tensor.mT])
            if tensor.ndim > 1
            else tensor[None]
        )
    elif way == 3 and tensor.ndim:
        tensor = draw.choice(
            [tensor[:0], tensor[:1], tensor[0] if len(tensor) else tensor, torch.cat([tensor, tensor])]
        )
    elif way == 4:
        return array(
            draw,
            tuple(tensor.shape) if tensor.numel() < 10**6 else (2,),
            draw.choice(sorted(codec.DTYPES)),
            as_tensor=as_tensor,
        )
    elif way == 5:
        return tensor.tolist() if tensor.numel() < 1000 else None
    elif way == 6:
        as_tensor = not as_tensor
    elif tensor.is_floating_point():
        tensor = tensor * draw.choice([float("nan"), float("inf"), -1.0, 0.0, 1e30])
    return tensor if as_tensor else tensor.float().numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


def odd_dict(draw: random.Random, value: dict[Any, Any]) -> Any:
    """A dict with an entry less or more, another key, or none at all."""
    entries = list(value.items())
    draw.shuffle(entries)
    key, part = entries[0] if entries else ("a", 1)
    return draw.choice([
        dict(entries[1:]), {**value, "more": anything(draw, 1)}, {**value, 7: part}, dict(entries), entries,
        {**dict(entries[1:]), f"{key} ": part}, list(value), list(value.values()), {str(k): None for k in value}, {},
    ])  # fmt: skip


def odd_list(draw: random.Random, value: list[Any], kind: type) -> Any:
    """A list with an entry less, more, twice, elsewhere or nested; or another container of its entries."""
    way = draw.randrange(7)
    if way == 0:
        draw.shuffle(value)
    elif way == 1:
        value.insert(draw.randrange(len(value) + 1), anything(draw, 2))
    elif way == 2 and value:
        del value[draw.randrange(len(value))]
    elif way == 3:
        value += value
    elif way == 4:
        value = [value]
    elif way == 5:
        return dict(enumerate(value))
    else:
        return tuple(value) if kind is list else value
    return kind(value)


def odd_number(draw: random.Random, value: float) -> Any:
    """The same number as another type, or another number."""
    return draw.choice([
        str(value), bool(value), [value], (value,), torch.tensor(value), torch.tensor([value]), np.array(value),
        value + 1, -value, value + 0.5, value * 1e300, draw.choice(NUMBERS),
    ])  # fmt: skip


Path = tuple[Any, ...]


def places(value: Any, path: Path = (), name: str = "") -> Iterator[tuple[str, Path, Any]]:
    """Every part of a nested value, itself included: its name, the keys and indices that lead there, and itself.

    Parts of a long list have one name, and so have files in a dict by their paths. An index of a short list is in <>.
    """
    yield name.removeprefix("."), path, value
    if isinstance(value, dict):
        files = any("/" in str(key) for key in value)
        for key, part in value.items():
            yield from places(part, (*path, key), f"{name}.{'*' if files else key}")
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            short = f"<{index}>" if isinstance(value, list) else str(index)
            yield from places(part, (*path, index), f"{name}.{short if len(value) < 5 else '*'}")


def put(value: Any, path: Path, part: Any) -> Any:
    """`value` with `part` at that place."""
    if not path:
        return part
    if isinstance(value, dict):
        return {**value, path[0]: put(value[path[0]], path[1:], part)}
    return type(value)(put(old, path[1:], part) if i == path[0] else old for i, old in enumerate(value))


MANY = 10_000  # numbers, of which one more or less is nothing that a check could notice


def lies(draw: random.Random, value: Any) -> Iterator[tuple[str, Any]]:
    """What no honest work gives in place of `value`, with a word for the way: of another type, of its own, empty."""
    yield "another type", b"forged"
    if isinstance(value, (torch.Tensor, np.ndarray)):
        yield from _other_numbers(draw, value)
    elif isinstance(value, bool):
        yield "another value", not value
    elif isinstance(value, (int, float)):
        yield "another value", value * 2 + 1
    elif isinstance(value, str):
        yield "another value", f"{value}!"
    elif value:
        yield "emptied", type(value)()


def _other_numbers(draw: random.Random, value: torch.Tensor | np.ndarray) -> Iterator[tuple[str, Any]]:
    """The same shape and dtype with every number changed, and with one: two of the first, the last and another."""
    tensor = torch.as_tensor(value)

    def changed(places: slice | int) -> Any:
        numbers = tensor.clone(memory_format=torch.contiguous_format)
        flat = numbers.view(-1)
        flat[places] = ~flat[places] if numbers.dtype == torch.bool else 1 - 2 * flat[places]
        return numbers if isinstance(value, torch.Tensor) else numbers.numpy()

    if tensor.numel():
        yield "other numbers", changed(slice(None))
    if 2 < tensor.numel() < MANY:
        for place in draw.sample((0, draw.randrange(tensor.numel()), tensor.numel() - 1), 2):
            yield "another number", changed(place)


SHORTLIST: list[Any] = [
    *(None, True, 7, 2.5, float("nan"), "x", b"x", [], (), {}, [None], ["a", 1], {"a": 1}),
    *(torch.tensor(1.5), torch.tensor(True), torch.zeros(0), torch.ones(2, 3, dtype=torch.int64), torch.ones(1, 1, 1)),
    *(np.array(1), np.zeros(0), np.ones((2, 3), dtype=bool)),
]
"""A value of each kind that a check could take for another one."""
