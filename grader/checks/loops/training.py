"""Judges what a training loop made of its parameters, which losses it returned, and what its model saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from grader.checks import expect
from grader.checks.loops.descent import Descent
from grader.inside import says


def judge_descent(got: Any, after: Descent) -> None:
    """The weights of the evidence are those of gradient descent."""
    weight = expect.field(got, "weight")
    expect.close(
        weight, after.weight, "the weights after one epoch", atol=1e-4, context=after.slips, otherwise=_loss(got, after)
    )
    expect.close(expect.field(got, "bias"), after.bias, "the bias after one epoch", atol=1e-4)


def _loss(got: dict[str, Any], after: Descent) -> str | None:
    """Say so where already the loss of the first batch is another one, before any step; `got` is evidence."""
    logged = got.get("result", got.get("losses"))
    first = logged[0] if isinstance(logged, (list, tuple)) and logged else None
    if type(first) is not float or abs(first - after.losses[0]) < 1e-3:
        return None
    return says("already the first batch's loss is another one: it is criterion(logits, labels), and nothing else")


def logging(interval: int | None) -> tuple[dict[str, int], float]:
    """Options of `train` for a run whose losses are judged, and the learning rate.

    Only of the first loss do steps, right or wrong, change nothing. So they are taken where it alone is logged.
    """
    return ({}, 0.2) if interval is None else ({"log_interval": interval}, 0.0)


def judge_losses(got: Any, after: Descent, interval: int) -> None:
    """`train` has returned every `interval`-th of the epoch's losses, the first included, as plain floats."""
    losses = after.losses
    count, asked = len(losses), says(f"{interval} (its default)") if interval == 100 else str(interval)
    what = says(f"the losses that train returns with log_interval={asked}, of {count} batches")
    wanted = losses[::interval]
    means = [sum(losses[: n + 1]) / (n + 1) for n in range(len(losses))]
    mixed: list[float] = []
    for loss in wanted:
        mixed.append((sum(mixed) + loss) / (len(mixed) + 1))
    slips = {
        says("log_interval is not used: these are the losses for its default, 100"): losses[::100],
        says("these are losses after the batch's step: take the loss before optimizer.step()"): after.later[::interval],
        says("these are means with the losses logged before, and not each batch's own"): mixed,
        **_other_intervals(losses, interval),
        says("the first batch is left out: test batch % log_interval == 0, counted from 0"): losses[interval::interval],
        says("the last batch of each interval is logged, and not the first: test batch % log_interval == 0"):
            losses[interval - 1 :: interval],
        says("these are means of the losses so far, and not each batch's own"): means[::interval],
        says("this is the mean over the epoch, and not a batch's own loss"): [means[-1]],
    }  # fmt: skip
    plain = [float(value) for value in got if type(value) is float] if type(got) in (list, tuple) else None
    because = None if plain is None or len(plain) < len(got) else _same_list(plain, wanted, slips)
    if because:
        expect.fail(f"{what}: wrong values", expected=wanted, got=plain, because=because)
    for value, want in zip(expect.items(got, len(wanted), what), wanted, strict=True):
        expect.instance(value, float, says(f"one of {what}"))
        expect.near(value, want, says(f"one of {what}"), atol=1e-4)


def _other_intervals(losses: list[float], interval: int) -> dict[str, list[float]]:
    """The losses that another log_interval gives, by what there is to say."""
    default = f": {says('the default of log_interval is 100')}" if interval == 100 else ""
    found = {says("every batch is logged, not each log_interval-th") + default: losses}
    for step in range(2, len(losses)):
        twice = 2 * step
        found[says(f"these are the losses of batches 0, {step}, {twice}, …") + default] = losses[::step]
    return found


def _same_list(got: list[float], wanted: list[float], slips: dict[str, list[float]]) -> str | None:
    """Return the name of the slip that gives these losses, unless they are the wanted ones."""

    def alike(other: list[float]) -> bool:
        near = (abs(a - b) < 1e-4 + 1e-4 * abs(b) for a, b in zip(got, other, strict=False))
        return len(got) == len(other) and all(near)

    named = [name for name, values in slips.items() if alike(values)]
    return (
        None if alike(wanted) else next(iter(named), None)
    )  # of slips that look the same, the one with the plainer cure


def judge_turns(found: Sequence[str], turn: Sequence[str], epochs: int, what: str) -> None:
    """The calls that a `fit` has made are the same in each of its epochs."""
    many = found.count(turn[0])
    whole = list(found) == [*turn] * many
    other = says(f"it runs {many} epochs, where it is asked for {epochs}") if whole and many != epochs else None
    expect.equal(
        list(found), [*turn] * epochs, f"the calls of {' and '.join(turn)} by {what} in {epochs} epochs", because=other
    )


def judge_seen(got: Any, x: torch.Tensor, batch_size: int) -> None:
    """What batch normalisation keeps in training mode alone is the mean of batches that were drawn for this run.

    How many of them does not matter here, nor that the first is seen twice, as by a loss that is taken after its step.
    """
    batches = torch.stack([part.double().mean(0) for part in x.split(batch_size)])
    sums = batches.cumsum(0)
    seen = expect.tensor(
        expect.field(got, "seen"), says("the mean of what the model saw in training mode"), shape=x.shape[1:]
    )
    means = [(mean + twice * batches[0]) / (n + twice) for n, mean in enumerate(sums, start=1) for twice in (0, 1)]
    right = any(expect.same_values(seen, mean, atol=1e-4) for mean in means)
    expect.true(right, "in training mode the model was given something else than the loader's batches")
