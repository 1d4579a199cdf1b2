"""Draws for checks, and judges what a function has done to the generators that all programs share."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from grader.checks import expect
from grader.inside import says

SEEDS = st.integers(
    0, 2**31 - 1
)  # for `@given(seed=SEEDS)`: what is drawn by `generator(seed)` differs from run to run


def generator(seed: int) -> torch.Generator:
    """Return a generator with that seed."""
    return torch.Generator().manual_seed(seed)


def drawn_seed(rng: torch.Generator) -> int:
    """Draw a seed that Python's `random`, NumPy and torch all take, and one more as well."""
    return int(torch.randint(0, 2**31 - 2, (1,), generator=rng))


def judge_generators(got: Any, seed: int) -> None:
    """The global generators, seeded by `kit.draws_after`, are as they were before the call."""
    want = {
        "random": random.Random(seed).random(),  # noqa: S311 - what the student's own draw is compared with
        "numpy": float(np.random.RandomState(seed).rand()),
        "torch": float(torch.rand(1, generator=generator(seed))),
    }
    for name, value in want.items():
        number = expect.number(expect.field(got, name), says(f"the next number of {name}"))
        expect.true(
            number == value,
            f"the global generator of {name} is not as it was: use a generator of your own",
        )
