"""Ends of processes: killing a whole tree of them, and saying how one ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import psutil

PAUSE = 0.01  # seconds until killed processes are looked at again


def kill_tree(pid: int, root_too: bool) -> None:
    """SIGKILL every descendant of `pid`, until none is left, and then `pid` itself if wanted."""
    try:
        root = psutil.Process(pid)
        if root_too:
            root.suspend()  # so that it starts nothing meanwhile
        looks_without = 0
        while looks_without < 2:  # one can miss the child of a process that ends just then
            children = _living(root)
            looks_without = 0 if children else looks_without + 1
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            if children:
                time.sleep(PAUSE)  # not until they are gone: it is the suspended root that they stay zombies of
    except psutil.NoSuchProcess:
        return
    finally:
        if root_too:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _living(root: psutil.Process) -> list[psutil.Process]:
    return [child for child in root.children(recursive=True) if _lives(child)]


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:  # it ended while we were looking
        return False


def signal_name(status: int) -> str:
    """What an exit status says: `killed by SIGSEGV`, `exited with status 3`."""
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-status).name}"
        return f"killed by signal {-status}"
    return f"exited inside the check (status {status})"


def was_killed(status: int) -> bool:
    """Whether an exit status tells of SIGKILL, also as bubblewrap passes it on; no process of ours does that itself."""
    return status in (-signal.SIGKILL, 128 + signal.SIGKILL)
