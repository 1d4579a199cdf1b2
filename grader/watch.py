"""How much memory a tree of processes has to itself.

Limits on each process are not enough, since a submission may start many. The cheap figure (resident anonymous and
shared memory of each) counts what forks share once a process, so it is only ever too high; where it passes the limit
the exact one decides (PSS, in which each page counts once; see proc_pid_smaps(5)).
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

import psutil

_CHEAP = re.compile(rb"^Rss(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)
_EXACT = re.compile(rb"^Pss_(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)


_SLACK = 1.25  # a process alone meets its own limit first, with an exception that shows the place


@dataclass(frozen=True)
class Rest:
    """What the tree below process `root` has while no check runs, in bytes by both figures."""

    root: int
    cheap: int
    exact: int


def at_rest(root: int) -> Rest:
    """Measure it; takes some milliseconds."""
    return Rest(root, _sum(root, "status", _CHEAP), _sum(root, "smaps_rollup", _EXACT))


@dataclass(frozen=True)
class Watch:
    """Whether the tree grows well beyond `limit` bytes, the most that each process can have: so several of them do."""

    rest: Rest
    limit: int

    def exceeded(self) -> bool:
        """Look now."""
        if _sum(self.rest.root, "status", _CHEAP) - self.rest.cheap <= self.limit * _SLACK:
            return False
        return _sum(self.rest.root, "smaps_rollup", _EXACT) - self.rest.exact > self.limit * _SLACK


def _sum(root: int, file: str, pattern: re.Pattern[bytes]) -> int:
    """Bytes, over the tree; a process that ends meanwhile counts nothing."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(root).children(recursive=True):
            with contextlib.suppress(OSError):
                total += sum(map(int, pattern.findall(Path(f"/proc/{process.pid}/{file}").read_bytes())))
    return total * 1024
