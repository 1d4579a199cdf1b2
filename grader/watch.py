"""How much memory a tree of processes has to itself.

Limits on each process are not enough, since a submission may start many. The cheap figure (resident anonymous and
shared memory of each) counts what forks share once a process, so it is only ever too high; where it passes the limit
the exact one decides (PSS, in which each page counts once; see proc_pid_smaps(5)).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

_CHEAP = re.compile(rb"^Rss(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)
_EXACT = re.compile(rb"^Pss_(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)


_SLACK = 1.25  # a process alone meets its own limit first, with an exception that shows the place


@dataclass(frozen=True)
class Watch:
    """Whether the processes below `root` grow well beyond `limit` bytes, the most that each can have: so several do.

    `inherited` bytes are what `root` has itself, and each of them therefore, too, until it writes to them.
    """

    root: int
    limit: int
    inherited: int

    @classmethod
    def over(cls, root: int, limit: int) -> Watch:
        """Begin while nothing runs below."""
        return cls(root, limit, _bytes([root], "status", _CHEAP))

    def exceeded(self) -> bool:
        """Look now."""
        most = self.inherited + self.limit * _SLACK
        below = descendants(self.root)
        return _bytes(below, "status", _CHEAP) > most and _bytes(below, "smaps_rollup", _EXACT) > most


def _bytes(pids: Iterable[int], file: str, pattern: re.Pattern[bytes]) -> int:
    """The sum over processes; one that ends meanwhile counts nothing."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += sum(map(int, pattern.findall(_read(f"/proc/{pid}/{file}"))))
    return total * 1024


def descendants(root: int) -> list[int]:
    """The processes below `root`, found without looking at all others of the machine (see proc_pid_task(5))."""
    if not os.path.exists(f"/proc/{root}/task/{root}/children"):  # a kernel without CONFIG_PROC_CHILDREN, or it ended
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child.pid for child in psutil.Process(root).children(recursive=True)]
        return []
    found, waiting = list[int](), [root]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    """Of all threads of a process; none once it has ended."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                children += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    return children


def _read(file: str) -> bytes:
    with open(file, "rb", buffering=0) as opened:
        return opened.read()
