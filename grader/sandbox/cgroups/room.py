"""Tells how much memory this container may use, before the kernel kills a process in it without a word.

On a machine that is too small the kernel would choose a process of a student's code, or the judge: a right solution
would be `killed`. So a CI job on such a machine is refused, and says which size to choose.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

from grader.errors import TooSmall

# Bytes: the peak of week 5's reference with one judge, as the sum of what each process holds of shared memory.
NEEDED = 1200 << 20
_FILES = ("memory.max", "memory/memory.limit_in_bytes")  # of cgroup v2 and v1, where a container sees its own group
_GROUPS = Path("/sys/fs/cgroup")


def memory(groups: Path = _GROUPS) -> int:
    """Return the bytes of memory that this container may use: the machine's, or less where a control group says so."""
    return min([int(psutil.virtual_memory().total), *_limits(groups)])


def refuse_small(groups: Path = _GROUPS, needed: int = NEEDED) -> None:
    """Raise `TooSmall` where grading one submission would not fit."""
    found = memory(groups)
    if found < needed:
        raise TooSmall(
            f"this container has {_gigabytes(found)} of memory, and grading takes up to {_gigabytes(needed)}; choose a "
            "larger one (on Gradescope: Configure Autograder, Container Specifications, 1.5 GB of RAM or more)"
        )


def _limits(groups: Path) -> Iterator[int]:
    for name in _FILES:
        try:
            yield int((groups / name).read_text(encoding="ascii"))
        except (OSError, ValueError):  # there is no such group, or it says `max`
            continue


def _gigabytes(size: int) -> str:
    return f"{size / 2**30:.2f} GB"
