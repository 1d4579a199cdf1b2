"""Prepares a check's GPU: caps what torch takes of its memory, and makes its arithmetic repeatable.

CUDA does not survive a fork, so nothing here starts it: the cap waits until the check's own process does.
"""

from __future__ import annotations

import torch


def prepare(memory: int) -> None:
    """Let torch take at most `memory` bytes of the GPU, in a check's process, before any of the student's code runs.

    This keeps a mistake from taking a whole card. Code that wants to can get around it, in its own process alone.
    """
    torch.backends.cudnn.deterministic = True
    torch.cuda._lazy_call(lambda: _cap(memory))


def _cap(memory: int) -> None:
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(memory / total, 1.0), 0)
