"""Keeps what one module sets for the whole process from reaching other modules, which may be another task's."""

from __future__ import annotations

import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import torch

# How each setting is read and written.
_SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.is_grad_enabled, torch._C._set_grad_enabled),
    (torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    # The public function imports a compiler, which takes seconds.
    (torch.are_deterministic_algorithms_enabled, torch._C._set_deterministic_algorithms),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.get_num_threads, torch.set_num_threads),
    (np.geterr, lambda found: np.seterr(**found)),
    (os.getcwd, os.chdir),
    (
        lambda: multiprocessing.get_start_method(allow_none=True),
        lambda way: multiprocessing.set_start_method(way, True),
    ),
    (lambda: list(warnings.filters), lambda found: warnings.filters.__setitem__(slice(None), found)),  # type: ignore[index]
    (lambda: (sys.stdout, sys.stderr), lambda found: sys.__dict__.update(stdout=found[0], stderr=found[1])),
)


@contextmanager
def settings_kept() -> Iterator[None]:
    """Leave torch's, NumPy's and Python's settings as they were, whatever the block sets."""
    before = [read() for read, _ in _SETTINGS]
    device = _default_device()
    try:
        yield
    finally:
        for (read, write), found in zip(_SETTINGS, before, strict=True):
            with suppress(OSError):  # the working folder may be gone
                if read() != found:
                    write(found)
        if _default_device() != device:
            torch.set_default_device(device)


def _default_device() -> torch.device | None:
    """Return the device that was set, None where none was."""
    context = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    return context.device if context is not None else None
