"""How much memory a tree of processes has to itself.

Limits on each process are not enough, since a submission may start many. The cheap figure (resident anonymous and
shared memory of each) counts what forks share once a process, so it is only ever too high; where it passes the limit
the exact one decides (PSS, in which each page counts once; see proc_pid_smaps(5)).
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import psutil

_CHEAP = re.compile(rb"^Rss(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)
_EXACT = re.compile(rb"^Pss_(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)


class Watch:
    """Watches the tree below process `root`; what it has now is not counted. `limit` is in bytes."""

    def __init__(self, root: int, limit: int) -> None:
        self.limit = limit
        self._root = root
        self._cheap_at_rest = _sum(root, "status", _CHEAP)

    def exceeded(self) -> bool:
        """Whether the tree has grown by more than the limit."""
        grown = _sum(self._root, "status", _CHEAP) - self._cheap_at_rest
        return grown > self.limit and _sum(self._root, "smaps_rollup", _EXACT) - self._cheap_at_rest > self.limit


def _sum(root: int, file: str, pattern: re.Pattern[bytes]) -> int:
    """Bytes, over the tree; a process that ends meanwhile counts nothing."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(root).children(recursive=True):
            with contextlib.suppress(OSError):
                total += sum(map(int, pattern.findall(Path(f"/proc/{process.pid}/{file}").read_bytes())))
    return total * 1024
