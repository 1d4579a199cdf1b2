"""Saves and restores the global random generators of Python, NumPy and torch."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Start the global generators from `seed`, so that probe runs start equal."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if accelerators():
        torch.manual_seed(seed)
    else:  # `torch.manual_seed` would do no more, but format three tracebacks for nothing
        torch.default_generator.manual_seed(seed)


@cache
def accelerators() -> bool:
    """Tell whether torch may find one. Asking torch itself would start a driver, which no fork could use any more."""
    if sys.platform != "linux":
        return True
    nodes = ("nvidia[0-9]*", "kfd", "dri", "dxg", "accel")
    return any(True for name in nodes for _ in Path("/dev").glob(name))


@contextmanager
def generators_kept() -> Iterator[None]:
    """Leave the global generators as they were, whatever the block draws or seeds."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    started_from = torch.initial_seed()
    on_gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if on_gpus:
            torch.cuda.set_rng_state_all(on_gpus)
        elif torch.cuda.is_initialized():  # started in the block, from the seed that all generators had
            torch.cuda.manual_seed_all(started_from)
