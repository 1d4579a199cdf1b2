"""What explains the difference between a wrong array and the right one, when something does."""

from __future__ import annotations

from itertools import permutations

import torch


def number(got: float, want: float) -> str | None:
    """Explain a wrong number: its sign, or a constant factor."""
    if want == 0 or got == 0:
        return None
    if _alike(got, -want):
        return "the sign is flipped"
    factor = got / want
    for value, name in ((100.0, "100 (percent or fraction?)"), (0.01, "1/100 (percent or fraction?)")):
        if _alike(factor, value):
            return f"it is the expected value times {name}"
    return None


def shapes(got: torch.Tensor, want: torch.Tensor) -> str | None:
    """Explain a wrong shape: transposed axes, or a missing or extra axis of size 1."""
    if sorted(got.shape) == sorted(want.shape):
        return "the axes look permuted"
    if [n for n in got.shape if n != 1] == [n for n in want.shape if n != 1]:
        return "an axis of size 1 is missing or too many"
    return None


def arrays(got: torch.Tensor, want: torch.Tensor, context: dict[str, torch.Tensor] | None = None) -> str | None:
    """Explain wrong values of the right shape, or None where nothing known explains them."""
    actual, target = got.detach().double(), want.detach().double()
    for name, array in (context or {}).items():
        if array.shape == actual.shape and _close(actual, array.double()):
            return f"these are the values {name}"
    for explain in (_sign, _permuted, _softmax, _relu, _reordered, _factor, _offset):
        because = explain(actual, target)
        if because:
            return because
    return None


def _alike(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-4 * max(abs(a), abs(b))


def _close(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and bool(torch.isclose(a, b, rtol=1e-3, atol=1e-6).all())


def _varied(a: torch.Tensor) -> bool:
    return a.numel() > 1 and bool((a.max() - a.min()) > 1e-6)


def _sign(got: torch.Tensor, want: torch.Tensor) -> str | None:
    return "the sign is flipped" if _close(got, -want) and bool(want.abs().max() > 1e-6) else None


def _permuted(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if want.dim() < 2 or want.dim() > 4 or not _varied(want):
        return None
    for order in permutations(range(want.dim())):
        if order != tuple(range(want.dim())) and _close(got, want.permute(order)):
            return "the axes are transposed"
    return None


def _softmax(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if want.dim() != 2 or want.shape[1] < 2:
        return None
    if _close(got, want.softmax(1)):
        return "softmax is already applied; raw logits are expected"
    if _close(got, want.log_softmax(1)):
        return "log-softmax is already applied; raw logits are expected"
    if _close(got.softmax(1), want):
        return "softmax is missing: these are logits, probabilities are expected"
    return None


def _relu(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if _close(got, want.relu()) and bool((want < 0).any()):
        return "a ReLU too many: negative values are cut to 0"
    if _close(got.relu(), want) and bool((got < 0).any()):
        return "a ReLU is missing: negative values should be 0"
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
        return "the values are right, but in another order"
    return None


def _factor(got: torch.Tensor, want: torch.Tensor) -> str | None:
    safe = want.abs() > 1e-6
    if not bool(safe.any()) or not _varied(want):
        return None
    factor = float((got[safe] / want[safe]).median())
    if factor != 0 and _close(got, want * factor) and abs(factor - 1) > 1e-3:
        return f"everything is {factor:.4g} times the expected value"
    return None


def _offset(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if not _varied(want):
        return None
    offset = float((got - want).median())
    if abs(offset) > 1e-6 and _close(got - offset, want):
        return f"everything is {offset:+.4g} from the expected value"
    return None
