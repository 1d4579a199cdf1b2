"""Carries arguments and evidence between judge and student: by value, in bounded messages, without pickle.

No pickle and no object of a student's class survives the trip: arrays are rebuilt as plain tensors or plain
NumPy arrays from dtype, shape and bytes, so nothing that was received can bring behaviour of its own along.

A message is four bytes that give the header's length, the header (msgpack: the whole structure, with arrays by
dtype and shape) and then the arrays' bytes one after the other. The header is capped far lower than the whole,
since a byte of msgpack can cost the reader sixty bytes of objects, and a byte of array costs one. Numbers are counted,
too: a check that computes with small ones widens them first.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import msgpack
import numpy as np
import torch

LONGEST = 64 * 2**20  # bytes of one message
LONGEST_HEADER = 2**20
MOST_NUMBERS = LONGEST // 4  # in the arrays of an answer: a check computes with wider types than a byte for each
DEEPEST = 16  # nested containers
MOST_AXES = 8

_TUPLE, _TENSOR, _ARRAY = 1, 2, 3
_LENGTH = struct.Struct(">I")
DTYPES = {
    name: getattr(torch, name)
    for name in ["float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool"]
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class CodecError(ValueError):
    """A message breaks the format or a limit."""


class NotPlainData(CodecError):
    """A value cannot cross: the text says where it is and what it is."""


def encode(value: Any, what: str = "value", kind: bytes = b"") -> bytes:
    """Pack plain data (None, bool, int, float, str, bytes, list, tuple, dict, arrays, tensors), after a word `kind`.

    Raises `NotPlainData`, naming the place inside `what`, for anything else and for what is too large or deep.
    """
    blobs: list[np.ndarray] = []  # of bytes; they are copied once, into the message
    header: bytes = msgpack.packb(_plain(value, what, DEEPEST, blobs))
    size = _LENGTH.size + len(header) + sum(blob.nbytes for blob in blobs)
    if len(header) > LONGEST_HEADER:
        raise NotPlainData(f"{what} has too many parts; return arrays instead of long lists")
    if size > LONGEST:
        raise NotPlainData(f"{what} is too large: {size / 2**20:.0f} MiB, at most {LONGEST >> 20} MiB")
    return b"".join([kind, _LENGTH.pack(len(header)), header, *(blob.data for blob in blobs)])


def decode(message: bytes | bytearray | memoryview, most_numbers: int = LONGEST) -> Any:
    """Unpack what `encode` packed; any malformed message, or more numbers in arrays, raises `CodecError`."""
    if not _LENGTH.size <= len(message) <= LONGEST:
        raise CodecError("the message is too short or too long")
    (length,) = _LENGTH.unpack_from(message)
    if length > LONGEST_HEADER:
        raise CodecError("the message's header is too long")
    body = memoryview(message)[_LENGTH.size :]
    try:
        return _Decoder(body[length:], most_numbers).unpack(bytes(body[:length]), DEEPEST)
    except CodecError:
        raise
    except Exception as error:  # a forged message may fail anywhere in the parser
        raise CodecError(f"malformed message: {type(error).__name__}") from None


def _plain(value: Any, where: str, depth: int, blobs: list[np.ndarray]) -> Any:
    if value is None or isinstance(value, (bool, bytes)):
        return value
    if isinstance(value, int):
        return _integer(value, where)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, torch.Tensor):
        return _tensor(value, where, blobs)
    if isinstance(value, (np.ndarray, np.generic)):
        return _array(value, where, blobs)
    if isinstance(value, (list, tuple, dict)):
        return _container(value, where, depth, blobs)
    raise NotPlainData(
        f"{where} is of type {type(value).__name__}, not plain data "
        "(a number, string, list, tuple, dict, array or tensor)"
    )


def _text(value: str) -> str:
    return str(value).encode("utf-8", "replace").decode()


def _integer(value: int, where: str) -> int:
    if not -(2**63) <= value < 2**63:
        raise NotPlainData(f"{where} is an int beyond 64 bits")
    return int(value)


def _container(value: Any, where: str, depth: int, blobs: list[np.ndarray]) -> Any:
    if depth == 0:
        raise NotPlainData(f"{where[:80]}… is nested too deeply, or contains itself")
    if len(value) > LONGEST_HEADER:
        raise NotPlainData(f"{where} has too many entries: {len(value)}")
    if isinstance(value, dict):
        return {_key(k, where): _plain(v, f"{where}[{k!r}]", depth - 1, blobs) for k, v in value.items()}
    entries = [_plain(v, f"{where}[{i}]", depth - 1, blobs) for i, v in enumerate(value)]
    return msgpack.ExtType(_TUPLE, msgpack.packb(entries)) if isinstance(value, tuple) else entries


def _key(key: Any, where: str) -> Any:
    if type(key) is str:
        return _text(key)
    if type(key) is int:
        return _integer(key, where)
    raise NotPlainData(f"{where} has a key of type {type(key).__name__}; keys are strings or ints")


def _tensor(value: torch.Tensor, where: str, blobs: list[np.ndarray]) -> msgpack.ExtType:
    if value.layout is not torch.strided or value.dtype not in _NAMES or value.device.type == "meta" or value.is_nested:
        raise NotPlainData(f"{where} is a tensor of dtype {value.dtype}, {value.layout}, on {value.device}")
    # Bits that negate or conjugate numbers when they are read would be lost with the bytes.
    flat = value.detach().as_subclass(torch.Tensor).cpu().resolve_neg().resolve_conj().contiguous().reshape(-1)
    if flat.stride() != (1,):  # one number that was expanded counts as contiguous, and cannot be viewed as bytes
        flat = flat.clone(memory_format=torch.contiguous_format)
    blobs.append(flat.view(torch.uint8).numpy())
    return _entry(_TENSOR, _NAMES[value.dtype], value.shape, where)


def _array(value: np.ndarray | np.generic, where: str, blobs: list[np.ndarray]) -> msgpack.ExtType:
    array = np.asarray(value)
    if array.dtype.name not in DTYPES:
        raise NotPlainData(f"{where} is an array of dtype {array.dtype}")
    blobs.append(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return _entry(_ARRAY, array.dtype.name, array.shape, where)


def _entry(code: int, dtype: str, shape: Any, where: str) -> msgpack.ExtType:
    if len(shape) > MOST_AXES:
        raise NotPlainData(f"{where} has {len(shape)} axes, at most {MOST_AXES}")
    return msgpack.ExtType(code, msgpack.packb([dtype, [int(n) for n in shape]]))


class _Decoder:
    """Unpacks a header, taking the arrays' bytes in the order in which they were packed."""

    def __init__(self, blobs: memoryview, most_numbers: int) -> None:
        self.blobs = blobs
        self.left = most_numbers

    def unpack(self, header: bytes, depth: int) -> Any:
        if depth < 0:
            raise CodecError("the message is nested too deeply")

        def extension(code: int, data: bytes) -> Any:
            if code == _TUPLE:
                return tuple(self.unpack(data, depth - 1))
            return self.rebuild(code, data)

        value = msgpack.unpackb(header, ext_hook=extension, strict_map_key=False, object_pairs_hook=_mapping)
        return _bounded(value, depth + 1)  # a tuple's own list is counted by its caller

    def rebuild(self, code: int, data: bytes) -> torch.Tensor | np.ndarray:
        dtype, shape = msgpack.unpackb(data)
        if code not in (_TENSOR, _ARRAY) or dtype not in DTYPES or len(shape) > MOST_AXES:
            raise CodecError("malformed array")
        if not all(type(n) is int and 0 <= n <= LONGEST for n in shape):
            raise CodecError("malformed shape")
        count = math.prod(shape)
        self.left -= count
        if self.left < 0:
            raise CodecError("the arrays hold too many numbers")
        raw = self.take(count * DTYPES[dtype].itemsize)
        return rebuild_tensor(dtype, shape, raw) if code == _TENSOR else rebuild_array(dtype, shape, raw)

    def take(self, count: int) -> bytearray:
        if count > len(self.blobs):
            raise CodecError("an array's bytes are missing")
        raw, self.blobs = bytearray(self.blobs[:count]), self.blobs[count:]
        return raw


def rebuild_tensor(dtype: str, shape: list[int], raw: bytearray) -> torch.Tensor:
    if not raw:
        return torch.empty(shape, dtype=DTYPES[dtype])
    flat = torch.frombuffer(raw, dtype=torch.uint8)
    # A byte other than 0 and 1 is undefined behaviour in a bool array, and the sender is not trusted.
    return (flat != 0).reshape(shape) if dtype == "bool" else flat.view(DTYPES[dtype]).reshape(shape)


def rebuild_array(dtype: str, shape: list[int], raw: bytearray) -> np.ndarray:
    flat = np.frombuffer(raw, np.uint8) != 0 if dtype == "bool" else np.frombuffer(raw, dtype)
    array: np.ndarray = flat.reshape(shape)
    return array


def _mapping(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    if not all(type(key) in (str, int) for key, _ in pairs):
        raise CodecError("a key is neither a string nor an int")
    return dict(pairs)


def _bounded(value: Any, depth: int) -> Any:
    """Return `value`; raise `CodecError` if it nests deeper than `depth`, or holds a timestamp, msgpack's own type."""
    level = [value]
    while level:
        if any(type(v) is msgpack.Timestamp for v in level):
            raise CodecError("a timestamp is not plain data")
        level = [v for v in level if type(v) in (list, dict)]
        if level and depth == 0:
            raise CodecError("the message is nested too deeply")
        depth -= 1
        level = [v for c in level for v in (c.values() if type(c) is dict else c)]
    return value
