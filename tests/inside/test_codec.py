from __future__ import annotations

import contextlib
import struct
from collections import namedtuple
from typing import Any

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.inside import codec
from grader.inside.codec import CodecError, NotPlainData, decode, encode

DTYPES = ["float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool"]
ARRAY_DTYPES = [name for name in DTYPES if name != "bfloat16"]
SHAPES = st.lists(st.integers(0, 3), max_size=4).map(tuple)


def tensor_of(dtype: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    values = torch.randint(0, 100, shape, generator=torch.Generator().manual_seed(seed))
    return (values % 2 == 0) if dtype == "bool" else values.to(getattr(torch, dtype))


TENSORS = st.builds(tensor_of, st.sampled_from(DTYPES), SHAPES, st.integers(0, 99))
ARRAYS = st.builds(lambda *given: tensor_of(*given).numpy(), st.sampled_from(ARRAY_DTYPES), SHAPES, st.integers(0, 99))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
KEYS = st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**63), 2**63 - 1)
VALUES = st.recursive(
    SCALARS | TENSORS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


def same(a: Any, b: Any) -> bool:
    """Equal, and of the same types and dtypes all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)
    return bool(a == b)


@settings(deadline=None, max_examples=200)
@given(VALUES)
def test_everything_plain_comes_back_as_it_went(value: Any) -> None:
    assert same(decode(encode(value)), value)


def message(header: Any, blobs: bytes = b"") -> bytes:
    packed = msgpack.packb(header)
    return struct.pack(">I", len(packed)) + packed + blobs


def array(code: int, dtype: Any, shape: Any) -> msgpack.ExtType:
    return msgpack.ExtType(code, msgpack.packb([dtype, shape]))


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), -0.0])
def test_odd_floats_cross(value: float) -> None:
    assert str(decode(encode(value))) == str(value)


def test_nan_and_its_tensor_cross() -> None:
    number, tensor = decode(encode((float("nan"), torch.tensor([float("nan"), 1.0]))))
    assert number != number
    assert tensor.isnan().tolist() == [True, False]


def test_tensors_come_out_detached_contiguous_and_writable() -> None:
    weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    got = decode(encode(weight.t()))
    assert type(got) is torch.Tensor
    assert not got.requires_grad
    assert got.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    got += 1
    assert weight[0, 0].item() == 0


def test_subclasses_come_out_plain() -> None:
    class Text(str):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = str.__hash__

    class Count(int):
        pass

    class Rate(float):
        pass

    class Fancy(torch.Tensor):
        pass

    class Entries(list):
        pass

    Pair = namedtuple("Pair", "left right")
    value = [Text("no"), Count(3), Rate(0.5), torch.ones(2).as_subclass(Fancy), Entries([1]), Pair(1, 2)]
    got = decode(encode(value))
    assert [type(entry) for entry in got] == [str, int, float, torch.Tensor, list, tuple]
    assert got[0] != "yes"


def test_a_str_subclass_with_its_own_str_is_still_text() -> None:
    class Liar(str):
        def __str__(self) -> str:
            return "what str() says"

    got = decode(encode(Liar("what it holds")))
    assert type(got) is str


def test_numpy_scalars_become_arrays_without_axes() -> None:
    got = decode(encode(np.float32(2.5)))
    assert type(got) is np.ndarray
    assert (got.dtype, got.shape, float(got)) == (np.dtype("float32"), (), 2.5)


def test_text_that_utf8_cannot_hold_is_replaced() -> None:
    assert decode(encode("a\ud800b")) == "a?b"


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"logits": [1, object()]}, "logits of lenet['logits'][1] is of type object"),
        ((1, {2, 3}), "logits of lenet[1] is of type set"),
        ([2**63], "logits of lenet[0] is an int beyond 64 bits"),
        ({(1, 2): 3}, "logits of lenet has a key of type tuple"),
        ({True: 3}, "logits of lenet has a key of type bool"),
        (torch.nn.Linear(1, 1), "logits of lenet is of type Linear"),
        (torch.ones(2, dtype=torch.complex64), "logits of lenet is a tensor of dtype torch.complex64"),
        ([torch.eye(2).to_sparse()], "logits of lenet[0] is a tensor of dtype torch.float32, torch.sparse_coo"),
        (torch.empty(2, device="meta"), "on meta"),
        (np.array(["a"]), "logits of lenet is an array of dtype <U1"),
        (np.array([object()]), "logits of lenet is an array of dtype object"),
        (torch.zeros([1] * 9), "logits of lenet has 9 axes, at most 8"),
    ],
)
def test_what_is_not_plain_is_named_with_its_place(value: Any, place: str) -> None:
    with pytest.raises(NotPlainData) as caught:
        encode(value, "logits of lenet")
    assert place in str(caught.value)


def test_a_list_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(NotPlainData, match="nested too deeply"):
        encode(loop)


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: (v,), lambda v: {"k": v}])
def test_sixteen_levels_cross_and_seventeen_do_not(wrap: Any) -> None:
    value: Any = 1
    for _ in range(codec.DEEPEST):
        value = wrap(value)
    assert same(decode(encode(value)), value)
    with pytest.raises(NotPlainData, match="nested too deeply"):
        encode(wrap(value))


def test_too_large_says_how_large() -> None:
    with pytest.raises(NotPlainData, match="the result is too large: 80 MiB, at most 64 MiB"):
        encode(torch.empty(80 << 20, dtype=torch.uint8), "the result")


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16])
def test_an_answer_may_hold_as_many_numbers_as_a_check_can_widen(dtype: torch.dtype) -> None:
    half = codec.MOST_NUMBERS // 2
    few, many = ([torch.zeros(half, dtype=dtype), torch.zeros(half + more, dtype=dtype)] for more in (0, 1))
    decode(encode(few), codec.MOST_NUMBERS)
    with pytest.raises(CodecError, match="too many numbers"):
        decode(encode(many), codec.MOST_NUMBERS)


@pytest.mark.parametrize(
    "value", [torch.ones(3, dtype=torch.complex64).imag.neg(), torch.ones(3, dtype=torch.complex64).conj().imag]
)
def test_numbers_that_are_negated_when_they_are_read_cross_as_they_read(value: torch.Tensor) -> None:
    assert decode(encode(value)).tolist() == value.tolist()


def test_long_lists_are_refused_with_advice() -> None:
    with pytest.raises(NotPlainData, match="return arrays instead"):
        encode(["some text of a few bytes"] * 60_000)


def test_a_bool_array_holds_only_zeros_and_ones_whatever_was_sent() -> None:
    tensor = decode(message(array(1 + 1, "bool", [4]), bytes([0, 1, 2, 255])))
    assert tensor.dtype == torch.bool
    assert tensor.view(torch.uint8).tolist() == [0, 1, 1, 1]
    numpy = decode(message(array(3, "bool", [4]), bytes([0, 1, 2, 255])))
    assert numpy.dtype == np.bool_
    assert numpy.view(np.uint8).tolist() == [0, 1, 1, 1]


FORGED = {
    "empty": b"",
    "short": b"\0\0",
    "header too long": struct.pack(">I", codec.LONGEST_HEADER + 1) + b"\xc0" * (codec.LONGEST_HEADER + 1),
    "no such extension": message(msgpack.ExtType(9, b"\x90")),
    "timestamp": struct.pack(">I", 6) + b"\xd6\xff\0\0\0\0",
    "unknown dtype": message(array(2, "complex64", [1]), b"\0" * 8),
    "dtype of objects": message(array(3, "object", [1]), b"\0" * 8),
    "dtype that is a list": message(array(2, [], [1])),
    "huge shape": message(array(2, "float32", [2**40])),
    "huge product": message(array(2, "float32", [2**26] * 8)),
    "product of 2**64": message(array(2, "uint8", [2**16] * 4)),
    "negative shape": message(array(2, "float32", [-1, -4]), b"\0" * 16),
    "bool in a shape": message(array(2, "float32", [True]), b"\0" * 4),
    "float in a shape": message(array(2, "float32", [1.0]), b"\0" * 4),
    "shape that is no list": message(array(2, "float32", 3), b"\0" * 12),
    "too many axes": message(array(2, "float32", [1] * 9), b"\0" * 4),
    "bytes missing": message(array(2, "float32", [3]), b"\0" * 11),
    "key that is a tuple": message({}).replace(b"\x80", b"\x81\xc7\x01\x01\x90\x01"),
    "key that is bytes": message({b"k": 1}),
    "key that is a float": message({0.5: 1}),
    "key that is None": message({None: 1}),
    "tuple that is an int": message(msgpack.ExtType(1, b"\x01")),
    "two values": struct.pack(">I", 2) + b"\x01\x01",
    "text that is no utf-8": struct.pack(">I", 2) + b"\xa1\xff",
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_messages_raise_codec_errors(name: str) -> None:
    with pytest.raises(CodecError):
        decode(FORGED[name])


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\x01", b"\xc7"])
@pytest.mark.parametrize("depth", [18, 600, 100_000])
def test_deeply_nested_forgeries_raise_codec_errors(opening: bytes, depth: int) -> None:
    if opening == b"\xc7":
        header = b"\xc0"
        for _ in range(min(depth, 1500)):
            header = msgpack.packb(msgpack.ExtType(1, b"\x91" + header))
    else:
        header = opening * depth + b"\xc0"
    with pytest.raises(CodecError):
        decode(struct.pack(">I", len(header)) + header)


def test_a_message_beyond_the_limit_is_refused() -> None:
    with pytest.raises(CodecError, match="too long"):
        decode(bytes(codec.LONGEST + 1))


def only_codec_errors(data: bytes) -> None:
    with contextlib.suppress(CodecError):
        decode(data)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_random_bytes_only_raise_codec_errors(data: bytes) -> None:
    only_codec_errors(data)
    only_codec_errors(struct.pack(">I", len(data)) + data)


@settings(deadline=None, max_examples=200)
@given(VALUES, st.data())
def test_mutated_and_truncated_messages_only_raise_codec_errors(value: Any, data: st.DataObject) -> None:
    good = encode(value)
    at = data.draw(st.integers(0, len(good) - 1))
    only_codec_errors(good[:at])
    only_codec_errors(good[:at] + bytes([data.draw(st.integers(0, 255))]) + good[at + 1 :])
    only_codec_errors(good[:at] + data.draw(st.binary(max_size=8)) + good[at:])


@settings(deadline=None)
@given(VALUES)
def test_a_truncated_message_is_an_error(value: Any) -> None:
    with pytest.raises(CodecError):
        decode(encode(value)[:-1])
