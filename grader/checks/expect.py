"""Judges evidence: each function raises `CheckFailed`, which says what was expected, what came, and why if known.

Evidence is untrusted: it may be of any type that the codec carries. So every function checks the type
before it looks inside, and no comparison calls a method that the evidence could have brought along.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import torch

from grader.checks import diagnose
from grader.checks.describe import FEW, brief
from grader.inside import says
from grader.inside.probing import lacks
from grader.results import Measure

MOST = 1 << 22  # numbers of a tensor whose shape is not fixed: no honest answer is as long, and each copy takes memory
Known = Mapping[str, torch.Tensor | Sequence[int]]
Context = Known | Callable[[], Known]


class CheckFailed(AssertionError):
    """Wrong evidence. `form` tells that its type or shape is wrong: of a hidden check its student reads only that.

    Two values that read alike, as long lists do that are cut, are left out: side by side they say nothing.
    """

    def __init__(
        self,
        summary: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        where: str | None = None,
        because: str | None = None,
        form: bool = False,
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.expected, self.got = (None, None) if expected == got else (expected, got)
        self.where = where
        self.because = because
        self.form = form


def fail(
    summary: str, *, expected: object = None, got: object = None, because: str | None = None, form: bool = False
) -> NoReturn:
    """Fail. `summary` says what is wrong in words that fit every submission; values go into `expected` and `got`.

    `form` tells that the type or shape is wrong, and not a value.
    """
    wanted = expected if isinstance(expected, str) or expected is None else brief(expected)
    came = got if isinstance(got, str) or got is None else brief(got)
    raise CheckFailed(summary, expected=wanted, got=came, because=because, form=form)


def true(
    condition: bool, summary: str, *, expected: object = None, got: object = None, because: str | None = None
) -> None:
    """Fail with `summary` unless `condition` is True."""
    if condition is not True:
        fail(summary, expected=expected, got=got, because=because)


def instance(got: object, kind: type | tuple[type, ...], what: str) -> None:
    """Require that `got` is of exactly one of these plain types, which evidence can have (a bool is not an int)."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if type(got) not in kinds:
        _wrong_type(what, " or ".join(k.__name__ for k in kinds), got)


def integer(
    got: object, want: int, what: str, *, context: Mapping[str, int] | None = None, divided: bool = False
) -> None:
    """Require a whole number, Python's or NumPy's, equal to `want`.

    `context` holds other numbers, by name, that may explain a wrong one; `divided` says that it comes of a division.
    """
    got = whole(got)
    if divided and type(got) is float and math.isfinite(got) and math.floor(got) == want:
        cut = says(f"it is a float, {got!r}: // divides into whole numbers, and int() cuts")
        fail(f"{what}: wrong type", expected="int", got=_typed(got), because=cut, form=True)
    instance(got, int, what)
    if got != want:
        alike = [name for name, other in (context or {}).items() if got == other]
        name = diagnose.either(alike) if alike else None
        because = says(f"this is the value {name}") if name else None
        fail(f"{what}: wrong value", expected=want, got=got, because=because)


def whole(got: object) -> object:
    """Return NumPy's whole number, which evidence holds as an array without axes, as Python's; all else as it is."""
    if isinstance(got, np.ndarray) and got.ndim == 0 and np.issubdtype(got.dtype, np.integer):
        return int(got)
    return got


def equal(got: object, want: object, what: str, *, because: str | None = None) -> None:
    """Require the type and the value of `want`, which is plain: a number, a string, or lists, tuples, dicts of them."""
    if type(got) is not type(want):
        _wrong_type(what, _typed(want), got)
    if _holds_array(got):
        fail(f"{what}: wrong value", expected=want, got=got)
    if got != want:
        # Containers are told by what differs: two long lists side by side look the same.
        because = because or diagnose.containers(got, want)
        told = because and len(brief(want)) > SHORT
        fail(f"{what}: wrong value", expected=None if told else want, got=None if told else got, because=because)


def same_values(got: torch.Tensor, want: torch.Tensor, *, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
    """Tell whether two tensors, of any dtypes, have one shape and, elementwise, |got − want| ≤ atol + rtol·|want|.

    `torch.allclose` raises where dtypes or shapes differ, and those of evidence are the student's.
    """
    if got.shape != want.shape:
        return False
    wide = torch.complex128 if got.is_complex() or want.is_complex() else torch.float64
    return bool(torch.isclose(got.to(wide), want.to(wide), rtol=rtol, atol=atol).all())


def same(got: object, want: object) -> bool:
    """Tell whether a plain value has the type and the value of `want`; what `==` cannot compare is not the same."""
    return type(got) is type(want) and not _holds_array(got) and bool(got == want)


def items(got: object, length: int | None, what: str) -> Sequence[Any]:
    """Require a list or tuple, of `length` entries if given, and return it."""
    if type(got) not in (list, tuple):
        _wrong_type(what, says("a tuple or list"), got)
    assert isinstance(got, (list, tuple))
    if length is not None and len(got) != length:
        fail(f"{what}: wrong number of entries", expected=length, got=len(got), form=True)
    return got


def number(got: object, what: str) -> float:
    """Require a plain finite Python number, and return it as a float."""
    if type(got) not in (int, float):
        _wrong_type(what, says("a plain Python number"), got)
    assert isinstance(got, (int, float))
    if not math.isfinite(got):
        fail(f"{what}: not finite", expected="a finite number", got=got)
    return float(got)


def near(
    got: object,
    want: float,
    what: str,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-5,
    sizes: Mapping[str, int] | None = None,
    context: Mapping[str, float] | None = None,
    nearly: str | None = None,
) -> None:
    """Require a plain number within `atol + rtol·|want|` of `want`.

    `sizes` (`{"batches": 5}`) and `context` (`{"of the last batch": 0.3}`) may explain a wrong one. `nearly` says what
    to think of when a number comes close.
    """
    value = number(got, what)
    if abs(value - want) > atol + rtol * abs(want):
        because = diagnose.number(value, want, sizes, context)
        if because is None and nearly and abs(value - want) <= NEARLY * max(abs(want), 1.0):
            because = f"{says('it is nearly right, but not exact')}: {nearly}"
        fail(f"{what}: wrong value", expected=want, got=got, because=because)


NEARLY = 0.02
SHORT = 60  # a text that two of stand side by side


def at_least(value: float, bound: float, what: str, *, unit: str = "") -> None:
    """Require that a number, which the judge computed, reaches a threshold; `unit="%"` shows a fraction in percent.

    The check's result keeps the number's distance from the threshold, for calibration.
    """
    _measures.append(Measure(what, float(value), float(bound), least=True))
    if not value >= bound:
        fail(f"{what} is too low", expected=f"at least {_with_unit(bound, unit)}", got=_with_unit(value, unit))


def at_most(value: float, bound: float, what: str, *, unit: str = "") -> None:
    """Do the same for a ceiling."""
    _measures.append(Measure(what, float(value), float(bound), least=False))
    if not value <= bound:
        fail(f"{what} is too high", expected=f"at most {_with_unit(bound, unit)}", got=_with_unit(value, unit))


def take_measures() -> tuple[Measure, ...]:
    """Return what `at_least` and `at_most` have compared since the last call."""
    taken = tuple(_measures)
    _measures.clear()
    return taken


_measures: list[Measure] = []


def _with_unit(value: float, unit: str) -> str:
    return f"{100 * value:.1f} %" if unit == "%" else f"{value:.4g}{unit}"


def tensor(
    got: Any, what: str, *, shape: Sequence[int | None] | None = None, dtype: torch.dtype | None = None
) -> torch.Tensor:
    """Require a tensor of that shape (None stands for any size) and dtype, with finite values, and return it.

    Where a size is open, there may be at most `MOST` numbers.
    """
    if type(got) is not torch.Tensor:
        _wrong_type(what, says("a torch.Tensor"), got)
    assert isinstance(got, torch.Tensor)
    if got.numel() > MOST and (shape is None or None in shape):
        fail(f"{what}: far too many numbers", expected=f"at most {MOST}", got=_shape_text(got.shape), form=True)
    if shape is not None and not _fits(tuple(got.shape), shape):
        because = diagnose.axes(tuple(got.shape), shape)
        fail(
            f"{what}: wrong shape",
            expected=_shape_text(shape),
            got=_shape_text(got.shape),
            because=because,
            form=True,
        )
    if dtype is not None and got.dtype != dtype:
        fail(f"{what}: wrong dtype", expected=str(dtype), got=str(got.dtype), form=True)
    finite(got, what)
    return got


def tensors(
    got: Any, shapes: Mapping[str, Sequence[int | None]], what: str, *, dtype: torch.dtype | None = None
) -> list[torch.Tensor]:
    """Require a tuple or list of tensors with these names and shapes, in this order, and return them.

    `what` names the function that gave it: what is one tensor alone, or in another order, is told by that name.
    """
    names = f"({', '.join(shapes)})"
    if type(got) is torch.Tensor and len(shapes) > 1:
        fail(f"{what} returns one tensor alone, where it is to return {names}", form=True)
    found = items(got, len(shapes), f"what {what} returns, {names}")
    sizes = [tuple(one.shape) if type(one) is torch.Tensor else None for one in found]
    wanted = [*shapes.items()]
    if None not in sizes and not _all_fit(sizes, wanted):
        for order in itertools.permutations(wanted):
            if _all_fit(sizes, order):
                came = f"({', '.join(name for name, _ in order)})"
                fail(f"{what} returns {came}: the order is {names}", form=True)
    return [tensor(one, name, shape=shape, dtype=dtype) for one, (name, shape) in zip(found, wanted, strict=True)]


def _all_fit(sizes: Sequence[tuple[int, ...] | None], wanted: Sequence[tuple[str, Sequence[int | None]]]) -> bool:
    return all(size is not None and _fits(size, shape) for size, (_, shape) in zip(sizes, wanted, strict=True))


def finite(got: torch.Tensor, what: str) -> None:
    """Require that a tensor holds no NaN and no infinity."""
    if got.is_floating_point() and not bool(torch.isfinite(got).all()):
        # Not by `nonzero`, which takes eight bytes for each axis of each number.
        place = int(torch.isfinite(got).flatten().int().argmin())
        first = tuple(map(int, np.unravel_index(place, got.shape)))
        where = says(f"{got[first].item()} at index {list(first)}")
        fail(f"{what}: contains NaN or infinity", got=where, because=diagnose.not_finite(got))


def close(
    got: Any,
    want: torch.Tensor | np.ndarray,
    what: str,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-5,
    dtype: bool = False,
    context: Context | None = None,
    sizes: Mapping[str, int] | None = None,
    otherwise: str | None = None,
) -> None:
    """Require a tensor with `want`'s shape and, elementwise, |got − want| ≤ atol + rtol·|want|.

    Where `want` is NumPy's, an array will do as well. With `dtype=True` the dtype must agree too. `context` holds by
    name what may explain a wrong answer: other arrays (`{"before the ReLU": pre_activation}`) and shapes (`{"of padded
    images": (4, 1, 28, 28)}`), or is a function that makes these when they are needed. `sizes` holds counts that a
    factor may come from (`{"images": 8}`). `otherwise` is said of wrong values that nothing explains.
    """
    target = want if isinstance(want, torch.Tensor) else torch.as_tensor(want)
    if isinstance(want, np.ndarray) and type(got) is np.ndarray:
        got = _from_numpy(got)
    if type(got) is torch.Tensor and got.shape != target.shape:
        fail(
            f"{what}: wrong shape",
            expected=_shape_text(target.shape),
            got=_shape_text(got.shape),
            because=diagnose.known(got, _known(context)) or diagnose.shapes(got, target),
            form=True,
        )
    if dtype and type(got) is torch.Tensor and got.dtype != target.dtype:
        right = bool(torch.isclose(got.double(), target.double(), rtol=rtol, atol=atol).all())
        had, asked = str(got.dtype), str(target.dtype)
        because = says(f"the values are right, only their type is not: {had}, and not {asked}") if right else None
        fail(f"{what}: wrong dtype", expected=str(target.dtype), got=str(got.dtype), because=because, form=True)
    value = tensor(got, what, shape=target.shape)
    difference = (value.double() - target.double()).abs()
    wrong = difference > atol + rtol * target.double().abs()
    if bool(wrong.any()):
        arrays = {name: one for name, one in _known(context).items() if isinstance(one, torch.Tensor)}
        because = diagnose.arrays(value, target, arrays, sizes) or otherwise
        _fail_at_first_difference(value, target, difference, wrong, what, because)


def _known(context: Context | None) -> Known:
    return context() if callable(context) else context or {}


def _from_numpy(got: np.ndarray) -> Any:
    """Make a tensor of an array of numbers, and leave any other as it is: torch has not all of NumPy's types."""
    if got.dtype.kind not in "biufc":
        return got
    try:
        return torch.from_numpy(np.array(got, order="C"))
    except (TypeError, ValueError):
        return torch.from_numpy(got.astype(np.complex128 if got.dtype.kind == "c" else np.float64))


def _fail_at_first_difference(
    value: torch.Tensor,
    target: torch.Tensor,
    difference: torch.Tensor,
    wrong: torch.Tensor,
    what: str,
    because: str | None,
) -> NoReturn:
    first = tuple(wrong.nonzero()[0].tolist())
    shown = [brief(array) if array.numel() <= FEW else None for array in (target, value)]  # else two equal shapes
    raise CheckFailed(
        f"{what}: wrong values",
        expected=shown[0],
        got=shown[1],
        where=f"first at index {list(first)}: expected {target[first].item():.6g}, got {value[first].item():.6g}; "
        f"{int(wrong.sum())} of {wrong.numel()} differ, by up to {difference.max().item():.3g}",
        because=because,
    )


def gradients(got: object, names: Sequence[str], what: str) -> None:
    """Require a dict with a gradient for each of these parameters, neither absent nor zero everywhere."""
    found = {name: field(got, name) for name in names}
    for name, gradient in found.items():
        if gradient is not None:
            tensor(gradient, f"{what} of {name}")
    because = diagnose.gradients(found)
    if because:
        fail(f"{what}: missing", because=because)


def raw(got: torch.Tensor, what: str) -> None:
    """Require that N×C outputs are no softmax, log-softmax, sigmoid or ReLU of something: raw logits rarely look so."""
    because = diagnose.activation(got)
    if because:
        fail(f"{what} are not raw", because=because)


def there(got: object, what: str, name: str, names: object) -> None:
    """Require that `what` has a part `name`, so that `got` is not None; `names` lists the parts that it has."""
    if got is None:
        fail(lacks(what, name, [str(part) for part in items(names, None, f"the parts of {what}")]), form=True)


def raises(evidence: object, kinds: Sequence[str], what: str) -> str:
    """Require evidence `{"raised": type name, "message": text}` of one of these exceptions, and return the message."""
    if type(evidence) is not dict or type(evidence.get("raised")) is not str:
        fail(f"{what}: no exception was raised", expected=" or ".join(kinds), got="a normal return")
    assert isinstance(evidence, dict)
    if evidence["raised"] not in kinds:
        fail(f"{what}: wrong exception", expected=" or ".join(kinds), got=evidence["raised"])
    message = evidence.get("message")
    return message if isinstance(message, str) else ""


def field(evidence: object, key: str) -> Any:
    """Return `evidence[key]` of a probe's dict. A forged reply without it is wrong evidence, and crashes no check."""
    if type(evidence) is not dict or key not in evidence:
        fail("a part of the answer is missing", expected=f"an entry {key!r}", got=_typed(evidence), form=True)
    assert isinstance(evidence, dict)
    return evidence[key]


def each(values: object, judge: Callable[[Any], None], what: str) -> None:
    """Apply `judge` to every entry of a list or tuple."""
    for value in items(values, None, what):
        judge(value)


def _wrong_type(what: str, expected: str, got: object) -> NoReturn:
    fail(f"{what}: wrong type", expected=expected, got=_typed(got), because=diagnose.kind(got), form=True)


def _holds_array(value: object) -> bool:
    """Tell whether a plain value holds an array: `==` of lists would ask for its truth, which it may not have."""
    if type(value) in (list, tuple, set, dict):
        parts = value.values() if isinstance(value, dict) else value
        return any(_holds_array(part) for part in parts)  # type: ignore[attr-defined]
    return isinstance(value, (torch.Tensor, np.ndarray))


def _fits(shape: tuple[int, ...], want: Sequence[int | None]) -> bool:
    return len(shape) == len(want) and all(w is None or s == w for s, w in zip(shape, want, strict=True))


def _shape_text(shape: Sequence[int | None]) -> str:
    sizes = ", ".join("any" if s is None else str(s) for s in shape) + ("," if len(shape) == 1 else "")
    return says(f"shape ({sizes})")  # as Python writes a tuple


def _typed(value: object) -> str:
    return f"{type(value).__name__}: {brief(value)}" if value is not None else "None"
