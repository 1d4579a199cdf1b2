"""Kills whole process trees, measures their memory, and says how a process ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from dataclasses import dataclass
from functools import cache

import psutil

from grader.inside import says

PAUSE = 0.01  # seconds until killed processes are looked at again
_CHEAP = re.compile(rb"^Rss(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)
_EXACT = re.compile(rb"^Pss_(?:Anon|Shmem):\s+(\d+) kB", re.MULTILINE)
_PRIVATE = re.compile(rb"^Private_Dirty:\s+(\d+) kB", re.MULTILINE)
_SOCKETS = re.compile(rb"^sockets: used (\d+)", re.MULTILINE)
_ONE_MORE = 64 << 10  # bytes: a buffer may be overrun by one message
_SLACK = 1.25  # a process alone meets its own limit first, with an exception that shows the place


def kill_tree(pid: int, root_too: bool) -> None:
    """SIGKILL every descendant of `pid`, until none is left, and then `pid` itself if wanted."""
    try:
        root = psutil.Process(pid)
        if root_too:
            root.suspend()  # so that it starts nothing meanwhile
        looks_without = 0
        while looks_without < 2:  # one look can miss the child of a process that ends at that moment
            children = [child for child in descendants(pid) if _lives(child)]
            looks_without = 0 if children else looks_without + 1
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            if children:
                time.sleep(PAUSE)  # no wait until they are gone: they stay zombies while the root is suspended
    except psutil.NoSuchProcess:
        return
    finally:
        if root_too:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:  # it ended while we were looking
        return False


def signal_name(status: int) -> str:
    """Say what an exit status means: `killed by SIGSEGV`, `exited inside the check (status 3)`."""
    if status < 0:
        with contextlib.suppress(ValueError):
            return says(f"killed by {signal.Signals(-status).name}")
        return says(f"killed by signal {-status}")
    return says(f"exited inside the check (status {status})")


def was_killed(status: int) -> bool:
    """Tell whether an exit status means SIGKILL, also as bubblewrap passes it on; no process of ours exits with it."""
    return status in (-signal.SIGKILL, 128 + signal.SIGKILL)


@dataclass(frozen=True)
class MemoryWatch:
    """Watches whether the processes below `root` together grow well beyond `limit` bytes, the limit of each alone.

    Memory that they inherited from `root`, and still share with it and with others, does not count. With `sockets` they
    have a network namespace of their own, and each socket in it counts as if its buffer were full: that memory is the
    kernel's, and is in no process's count.
    """

    root: int
    limit: int
    sockets: bool = False

    def exceeded(self) -> bool:
        """Tell whether they have grown beyond it now."""
        below, most = descendants(self.root), self.limit * _SLACK - self._in_sockets()
        if sum(_bytes(_look(pid, "status"), _CHEAP) for pid in below) <= most:
            return False
        inherited = _bytes(_look(self.root, "smaps_rollup"), _EXACT)
        return sum(_own(_look(pid, "smaps_rollup"), inherited) for pid in below) > most

    def _in_sockets(self) -> int:
        if not self.sockets:
            return 0
        used = _SOCKETS.search(_look(self.root, "net/sockstat"))
        return (int(used[1]) if used else 0) * _socket_buffer()


@dataclass(frozen=True)
class Usage:
    """Seconds for which processes computed, and for which they could have done so but waited for a processor."""

    cpu: float
    queued: float


def usage(root: int) -> Usage:
    """Return what all processes below `root` have used so far, and those that they have waited for.

    It is that of proc_pid_stat(5), in hundredths of a second, and of /proc/PID/schedstat, if the kernel has that. What
    ended processes have used is with those that waited for them, `root` among these. It is lost where a parent ignores
    how its children end, which the sandbox prevents.
    """
    ticks, nanoseconds = sum(_ticks(root)[2:]), 0
    for pid in descendants(root):
        ticks += sum(_ticks(pid))
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                nanoseconds += sum(map(int, _look(pid, f"task/{thread}/schedstat").split()[1:2]))
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), nanoseconds / 1e9)


def _ticks(pid: int) -> list[int]:
    """Return what a process has used as a program and in the kernel, and the same of children that it waited for."""
    _, _, fields = _look(pid, "stat").rpartition(b")")  # the name before it may hold anything
    return [*map(int, fields.split()[11:15])]


@cache
def _socket_buffer() -> int:
    """Return the most bytes that a local socket holds; the filter keeps student code from asking for more."""
    try:
        return int(_read("/proc/sys/net/core/wmem_default")) + _ONE_MORE
    except (OSError, ValueError):
        return 212_992 + _ONE_MORE  # the kernel's own default


def _own(text: bytes, inherited: int) -> int:
    """Add to a process's private memory its part of what it shares, less the part that its parent has of that."""
    private = _bytes(text, _PRIVATE)
    return private + max(0, _bytes(text, _EXACT) - private - inherited)


def _bytes(text: bytes, pattern: re.Pattern[bytes]) -> int:
    return 1024 * sum(map(int, pattern.findall(text)))


def _look(pid: int, file: str) -> bytes:
    """Read a file of a process; nothing where the process has ended meanwhile."""
    with contextlib.suppress(OSError):
        return _read(f"/proc/{pid}/{file}")
    return b""


def descendants(root: int) -> list[int]:
    """Find the processes below `root`, without looking at all others of the machine (see proc_pid_task(5))."""
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
    """Return the children of all threads of a process; none once it has ended."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                children += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    return children


def _read(file: str) -> bytes:
    with open(file, "rb", buffering=0) as opened:
        return opened.read()
