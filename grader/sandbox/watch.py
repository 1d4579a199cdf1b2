"""How much memory a tree of processes has to itself.

Limits on each process are not enough, since a submission may start many. The cheap figure (resident anonymous and
shared memory of each) counts what forks share once a process, so it is only ever too high; where it passes the limit
the exact one decides (PSS, in which each page counts once; see proc_pid_smaps(5)).
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass

import psutil

_CHEAP = re.compile(rb"^Rss(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)
_EXACT = re.compile(rb"^Pss_(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)
_PRIVATE = re.compile(rb"^Private_Dirty:\s+(\d+) kB", re.MULTILINE)

_SLACK = 1.25  # a process alone meets its own limit first, with an exception that shows the place


@dataclass(frozen=True)
class Watch:
    """Whether the processes below `root` grow well beyond `limit` bytes, the most that each can have: so several do.

    What they inherited from `root`, and still share with it and with others, does not count.
    """

    root: int
    limit: int

    def exceeded(self) -> bool:
        """Look now."""
        most = self.limit * _SLACK
        below = descendants(self.root)
        if sum(_bytes(_look(pid, "status"), _CHEAP) for pid in below) <= most:
            return False
        inherited = _bytes(_look(self.root, "smaps_rollup"), _EXACT)
        return sum(_own(_look(pid, "smaps_rollup"), inherited) for pid in below) > most


def _own(text: bytes, inherited: int) -> int:
    """What nobody else has, and the process's part of what it shares, less as much as its parent has of that."""
    private = _bytes(text, _PRIVATE)
    return private + max(0, _bytes(text, _EXACT) - private - inherited)


def _bytes(text: bytes, pattern: re.Pattern[bytes]) -> int:
    return 1024 * sum(map(int, pattern.findall(text)))


def _look(pid: int, file: str) -> bytes:
    """A file of a process; nothing where it has ended meanwhile."""
    with contextlib.suppress(OSError):
        return _read(f"/proc/{pid}/{file}")
    return b""


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
