"""The global random generators of Python, NumPy and torch."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Start the global generators from `seed`, so that probe runs start equal."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)  # a GPU's generator, too, from when CUDA starts in this process


@contextmanager
def generators_kept() -> Iterator[None]:
    """Leave the global generators as they were, whatever the block draws or seeds."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    seed = torch.initial_seed()
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
            torch.cuda.manual_seed_all(seed)
