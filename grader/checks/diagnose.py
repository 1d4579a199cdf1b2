"""Explains the difference between a wrong array and the right one, when something does."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import permutations

import torch

from grader.checks.describe import brief
from grader.inside import says

Sizes = Mapping[str, int]  # sizes that a factor may come from, by name: {"images in a batch": 64}

# Factors that mean the same everywhere; each name says what to think about.
_KNOWN = {
    255.0: says("255 (are pixels to be scaled to [0, 1]?)"),
    1 / 255: says("1/255 (were pixels scaled once too often?)"),
    100.0: says("100 (percent or fraction?)"),
    0.01: says("1/100 (percent or fraction?)"),
}
_PRECISE = 1e-4


def number(
    got: float, want: float, sizes: Sizes | None = None, context: Mapping[str, float] | None = None
) -> str | None:
    """Explain a wrong number by another number of the problem, by its sign, or by a factor that has a name."""
    for name, other in (context or {}).items():
        if math.isclose(got, other, rel_tol=_PRECISE, abs_tol=1e-6):
            return says(f"this is the value {name}")
    if want == 0 or got == 0 or not math.isfinite(got):
        return None
    if rounded := _rounded(got, want):
        return rounded
    if _alike(got, -want):
        return says("the sign is flipped")
    factor = factor_name(got / want, sizes or {})
    if factor:
        return says(f"it is the expected value times {factor}")
    if got > 0 and want > 0 and _alike(got, math.sqrt(want)):
        return says("it is the square root of the expected value")
    if got > 0 and want > 0 and _alike(got, want**2):
        return says("it is the square of the expected value")
    return None


def _rounded(got: float, want: float) -> str | None:
    """Recognise a number that was rounded; of small ones to few decimals that would be chance."""
    fewest = 0 if abs(want) > 10 else 1 if abs(want) > 1 else 2
    for places in range(fewest, 4):
        if got == round(want, places):
            step = f"{10.0**-places:g}"
            return says(f"it is rounded to multiples of {step}: return it as it is")
    return None


def either(slips: Sequence[str]) -> str:
    """Join mistakes, of which any may be the one that was made."""
    return functools.reduce(lambda one, other: says(f"{one}, or {other}"), slips)


def factor_name(factor: float, sizes: Sizes) -> str | None:
    """Say what a factor may come from: percent, pixels, or one of the sizes of the problem."""
    for value, name in _KNOWN.items():
        if _alike(factor, value):
            return name
    for what, size in sizes.items():
        if size < 2:
            continue
        named = {  # where size is 2 the last of equal factors counts
            size / (size - 1): says(f"{size}/{size - 1} (an unbiased estimate in place of a biased one?)"),
            (size - 1) / size: says(f"{size - 1}/{size} (a biased estimate in place of an unbiased one?)"),
            size: says(f"{size}, the number of {what} (a sum in place of a mean?)"),
            1 / size: says(f"1/{size}, one over the number of {what} (a mean in place of a sum?)"),
            math.sqrt(size): says(f"√{size}, the root of the number of {what}"),
            1 / math.sqrt(size): says(f"1/√{size}, one over the root of the number of {what}"),
        }
        for value, name in named.items():
            if abs(value - 1) > 10 * _PRECISE and _alike(factor, value):
                return name
    return None


def kind(got: object) -> str | None:
    """Say what a value of a wrong type is, where that tells what to change."""
    if got is None:
        return says("it is None: is a `return` missing?")
    if isinstance(got, torch.Tensor) and got.numel() == 1:
        return says("it is a tensor: `.item()` gives its number")
    return None


def containers(got: object, want: object) -> str | None:
    """Say what differs between two sets, dicts, or sequences of plain values."""
    if isinstance(got, dict) and isinstance(want, dict):
        return _dicts(got, want)
    if isinstance(got, (set, frozenset)) and isinstance(want, (set, frozenset)):
        return _counts(Counter(map(brief, got)), Counter(map(brief, want)))
    if isinstance(got, (list, tuple)) and isinstance(want, (list, tuple)) and max(len(got), len(want)) > 4:
        return _sequences(got, want)
    return None


def _dicts(got: Mapping[object, object], want: Mapping[object, object]) -> str:
    wrong = [says(f"{_word(key)} is {brief(got[key])} and should be {brief(value)}") for key, value in want.items()
             if key in got and got[key] != value]  # fmt: skip
    missing, extra = [key for key in want if key not in got], [key for key in got if key not in want]
    parts = [
        _some(wrong),
        says(f"missing: {_listed(missing)}") if missing else "",
        says(f"too much: {_listed(extra)}") if extra else "",
    ]
    return "; ".join(filter(None, parts))


def _sequences(got: Sequence[object], want: Sequence[object]) -> str:
    found, wanted = Counter(map(brief, got)), Counter(map(brief, want))
    if found != wanted:
        return _counts(found, wanted)
    first = next(index for index, (g, w) in enumerate(zip(got, want, strict=True)) if g != w)
    right, stands = says("the entries are right, but in another order"), brief(got[first])
    return f"{right}: {says(f'at index {first} stands {stands}, and not {brief(want[first])}')}"


def _counts(got: Counter[str], want: Counter[str]) -> str:
    """Say what is missing and what is too much; the keys are descriptions of entries."""
    missing, extra = want - got, got - want
    twice = [key for key in extra if key in want]
    parts = [says(f"missing: {_times(missing)}") if missing else ""]
    parts += [says(f"too often: {_times(Counter({key: extra[key] for key in twice}))}") if twice else ""]
    strange = Counter({key: count for key, count in extra.items() if key not in want})
    return "; ".join(filter(None, [*parts, says(f"not expected: {_times(strange)}") if strange else ""]))


def _times(entries: Counter[str]) -> str:
    return _some([key if count == 1 else f"{key} ({count}×)" for key, count in entries.items()], ", ")


def _listed(keys: Sequence[object]) -> str:
    return _some([_word(key) for key in keys], ", ")


def _some(parts: Sequence[str], between: str = "; ") -> str:
    more = f"{between}… (+{len(parts) - MOST})" if len(parts) > MOST else ""
    return between.join(parts[:MOST]) + more


def _word(key: object) -> str:
    return key if isinstance(key, str) else brief(key)


MOST = 5  # differences that are told


def activation(outputs: torch.Tensor) -> str | None:
    """Recognise N×C outputs that went through softmax, log-softmax, a sigmoid or a ReLU."""
    got = outputs.detach().double()
    if _sums_to_one(got, 1):
        return says("softmax is applied inside forward: each row sums to 1")
    if bool((got <= 0).all()) and _sums_to_one(got.exp(), 1):
        return says("log-softmax is applied inside forward: the exponentials of each row sum to 1")
    if bool((got >= 0).all()) and bool((got == 0).any()):
        return says("a ReLU comes after the last layer: no output is negative")
    if bool((got >= 0).all()) and bool((got <= 1).all()):
        return says("all lie between 0 and 1, as after a sigmoid")
    return None


def shapes(got: torch.Tensor, want: torch.Tensor) -> str | None:
    """Explain a wrong shape: transposed axes, a missing or extra axis of size 1, or other axes for the right values."""
    if sorted(got.shape) == sorted(want.shape):
        return says("the axes look permuted")
    right = got.numel() == want.numel() and _varied(want) and _close(_flat(got), _flat(want))
    if _differ_in_ones(got.shape, want.shape):
        axis = says("an axis of size 1 is missing or too many")
        return f"{axis}; {says('the values are right')}" if right else axis
    if right:
        return says("the values are right, only their arrangement in axes is not")
    if got.dim() > 0 and want.dim() == got.dim() + 1 and got.shape == want.shape[1:]:
        return says("the first axis, over the examples, is missing")
    return None


def known(got: torch.Tensor, others: Mapping[str, torch.Tensor | Sequence[int]]) -> str | None:
    """Name what a wrong answer is, or has the shape of, among other arrays and shapes."""
    for name, other in others.items():
        if not isinstance(other, torch.Tensor):
            if tuple(other) == tuple(got.shape):
                return says(f"this is the shape {name}")
        elif _close(got.detach().double(), other.double()):
            return says(f"these are the values {name}")
    return None


def axes(got: tuple[int, ...], want: Sequence[int | None]) -> str | None:
    """Explain a wrong shape by the axes of size 1 alone: got has some that are not wanted, or lacks them."""
    if not _differ_in_ones(got, want):
        return None
    if len(got) > len(want):
        return says("an axis of size 1 too many")
    if list(got) == list(want[1:]):
        return says("the first axis, over the examples, is missing: is there a squeeze(), or a flatten() of all axes?")
    return says("an axis of size 1 is missing: is there a squeeze()?")


def _differ_in_ones(got: Sequence[int], want: Sequence[int | None]) -> bool:
    """Tell whether two shapes are the same but for axes of size 1."""
    return [n for n in got if n != 1] == [n for n in want if n != 1]


def gradients(got: Mapping[str, torch.Tensor | None]) -> str | None:
    """Name the parameters whose gradient is absent, or else those whose gradient is zero everywhere."""
    absent = [name for name, gradient in got.items() if gradient is None]
    if absent:
        return says(f"no gradient reaches {', '.join(absent)}")
    zero = [name for name, gradient in got.items() if gradient is not None and not bool(gradient.any())]
    return says(f"the gradient of {', '.join(zero)} is zero everywhere") if zero else None


def not_finite(got: torch.Tensor) -> str:
    """Say where NaN or infinity starts, and how much of it there is."""
    bad = ~torch.isfinite(got)
    nan, infinity = bool(torch.isnan(got).any()), not bool(torch.isnan(got[bad]).all())
    kinds = says("NaN and infinity") if nan and infinity else says("infinity") if infinity else "NaN"
    if bool(bad.all()):
        return says(f"every value is: {kinds}")
    rows = bad.reshape(bad.shape[0], -1).any(1) if bad.dim() > 1 else bad
    whole = bad.dim() > 1 and bool((bad.reshape(bad.shape[0], -1).all(1) == rows).all())
    first = int(rows.int().argmax())
    place = (
        says(f"whole rows from row {first} on") if whole and bool(rows[first:].all()) else says(f"first in row {first}")
    )
    return says(f"{kinds}, in {int(bad.sum())} of {bad.numel()} values, {place}")


def arrays(
    got: torch.Tensor,
    want: torch.Tensor,
    context: Mapping[str, torch.Tensor] | None = None,
    sizes: Sizes | None = None,
) -> str | None:
    """Explain wrong values of the right shape; return None where nothing known explains them."""
    actual, target = got.detach().double(), want.detach().double()
    for name, array in (context or {}).items():
        if array.shape == actual.shape and _close(actual, array.double()):
            return says(f"these are the values {name}")
    if actual.numel() == target.numel() == 1:
        return number(actual.item(), target.item(), sizes)
    for explain in (_sign, _permuted, _flipped, _softmax, _relu, _reordered):
        because = explain(actual, target)
        if because:
            return because
    return _factor(actual, target, sizes or {}) or _offset(actual, target) or _unchanging(actual, target)


def _alike(a: float, b: float) -> bool:
    return abs(a - b) <= _PRECISE * max(abs(a), abs(b))


def _close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and bool(torch.isclose(a, b, rtol=1e-3, atol=1e-6).all())


def _flat(a: torch.Tensor) -> torch.Tensor:
    return a.detach().double().flatten()


def _varied(a: torch.Tensor) -> bool:
    return a.numel() > 1 and bool((a.max() - a.min()) > 1e-6)


def _sign(got: torch.Tensor, want: torch.Tensor) -> str | None:
    return says("the sign is flipped") if _close(got, -want) and bool(want.abs().max() > 1e-6) else None


def _permuted(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if want.dim() < 2 or want.dim() > 4 or not _varied(want):
        return None
    for order in permutations(range(want.dim())):
        if order != tuple(range(want.dim())) and _close(got, want.permute(order)):
            return says("the axes are transposed")
    return None


def _flipped(got: torch.Tensor, want: torch.Tensor) -> str | None:
    """Recognise values that are reversed along the last axis or the last two; `_reordered` looks at the first one."""
    if want.dim() < 2 or not _varied(want):
        return None
    for axes in ((-2, -1), (-1,)):
        if want.dim() > len(axes) - 1 and _close(got, want.flip(axes)) and not _close(want, want.flip(axes)):
            return says(
                "it is reversed along the last two axes" if len(axes) == 2 else "it is reversed along the last axis"
            )
    return None


def _softmax(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if want.dim() != 2 or want.shape[1] < 2:
        return None
    if _close(got, want.softmax(1)):
        return says("softmax is already applied; raw logits are expected")
    if _close(got, want.log_softmax(1)):
        return says("log-softmax is already applied; raw logits are expected")
    if _close(got.exp(), want):
        return says("these are logarithms of probabilities: softmax in place of log_softmax")
    if _close(got.softmax(1), want):
        return says("softmax is missing: these are logits, probabilities are expected")
    if _sums_to_one(want, 1) and not _sums_to_one(got, 1):
        if _sums_to_one(got, 0):
            return says("columns sum to 1 and rows should: a softmax over the wrong axis")
        return says("its rows should sum to 1, as probabilities do")
    return None


def _sums_to_one(a: torch.Tensor, axis: int) -> bool:
    return _close(a.sum(axis), torch.ones_like(a.sum(axis))) and bool((a >= 0).all())


def _relu(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if _close(got, want.relu()) and bool((want < 0).any()):
        return says("a ReLU too many: negative values are cut to 0")
    if _close(got.relu(), want) and bool((got < 0).any()):
        return says("a ReLU is missing: negative values should be 0")
    return None


def _reordered(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if want.dim() < 1 or want.shape[0] < 2:
        return None
    rows, targets = got.reshape(got.shape[0], -1), want.reshape(want.shape[0], -1)
    same = (
        torch.isclose(rows[:, None, :], targets[None, :, :], rtol=1e-3, atol=1e-6).all(-1)
        if rows.numel() * targets.shape[0] < 2_000_000
        else None
    )
    if same is not None and bool(same.any(0).all()) and bool(same.any(1).all()):
        return says("the values are right, but in another order")
    return None


def _factor(got: torch.Tensor, want: torch.Tensor, sizes: Sizes) -> str | None:
    safe = want.abs() > 1e-6
    if not bool(safe.any()) or not _varied(want):
        return None
    factor = float((got[safe] / want[safe]).median())
    if factor != 0 and _close(got, want * factor) and abs(factor - 1) > 1e-3:
        axes = {says(f"entries along axis {axis}"): size for axis, size in enumerate(want.shape)}
        name = factor_name(factor, {**sizes, **axes}) or f"{factor:.4g}"
        return says(f"everything is the expected value times {name}")
    return None


def _offset(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if not _varied(want):
        return None
    offset = float((got - want).median())
    if abs(offset) > 1e-6 and _close(got - offset, want):
        told = says(f"everything is {offset:+.4g} from the expected value")
        return told if _alike(offset, round(offset)) else f"{told}; {says('is a bias added?')}"
    return None


def _unchanging(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if got.numel() < 2 or not _varied(want) or _varied(got):
        return None
    value = float(got.flatten()[0])
    return says("it is zero everywhere") if not bool(got.any()) else says(f"it is {value:.4g} everywhere")
