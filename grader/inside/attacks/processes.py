"""Tries to see, disturb, read and outlive other processes, and to become too many."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import threading
import time
from collections.abc import Callable

from .calls import COLUMN, attempt, call, rename_process, ways

STAYS = 15.0  # seconds: what nobody ends ends then by itself
_PTRACE, _READ_MEMORY, _GET_SCHEDULER = (101, 117)[COLUMN], (310, 270)[COLUMN], (145, 120)[COLUMN]
_ATTACH, _DETACH = 16, 17  # of ptrace(2)
_SMALL = 1 << 16  # bytes of a thread's stack, so that memory is not what stops them


class _Span(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))


def see(pid: int) -> list[str]:
    """Return the ways by which another process is found."""
    return ways(
        {
            "kill": lambda: os.kill(pid, 0),
            "getpgid": lambda: os.getpgid(pid),
            "getpriority": lambda: os.getpriority(os.PRIO_PROCESS, pid),
            "getaffinity": lambda: os.sched_getaffinity(pid),
            "getscheduler": lambda: os.sched_getscheduler(pid),
            "/proc": lambda: os.listdir(f"/proc/{pid}"),
        }
    )


def disturb(pid: int) -> None:
    """Slow another process down, confine it and end it; what came of that is seen outside."""
    attempt(os.setpriority, os.PRIO_PROCESS, pid, 19)
    attempt(resource.prlimit, pid, resource.RLIMIT_NOFILE, (11, 11))
    attempt(os.sched_setscheduler, pid, os.SCHED_IDLE, os.sched_param(0))
    attempt(os.kill, pid, signal.SIGSTOP)
    attempt(os.kill, pid, signal.SIGTERM)


def spy(pid: int) -> list[str]:
    """Return the ways by which another process can be read or traced."""
    return ways(
        {
            "its environment": lambda: _read(f"/proc/{pid}/environ"),
            "its memory file": lambda: os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY)),
            "its descriptors": lambda: os.listdir(f"/proc/{pid}/fd"),
            "process_vm_readv": lambda: _read_memory(pid),
            "ptrace": lambda: _trace(pid),
        }
    )


def spy_on_parent() -> list[str]:
    """Do the same to the process that holds the submission."""
    return spy(os.getppid())


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _read_memory(pid: int) -> None:
    """Read at an address that is mapped here, and so in a process that this one was forked from."""
    there = ctypes.cast(ctypes.pythonapi.Py_GetVersion, ctypes.c_void_p)
    room = ctypes.create_string_buffer(8)
    ours, theirs = _Span(ctypes.addressof(room), 8), _Span(there, 8)
    _raise(call(_READ_MEMORY, pid, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0), but=14)


def _trace(pid: int) -> None:
    _raise(call(_PTRACE, _ATTACH, pid, None, None))
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    call(_PTRACE, _DETACH, pid, None, None)


def _raise(result: int, but: int = 0) -> None:
    """Raise an error that a call returned, unless it shows that the call was allowed."""
    if result < 0 and -result != but:
        raise OSError(-result, os.strerror(-result))


def kill_parent() -> str:
    """Kill the process that holds the submission; return that this did not stop anything."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        attempt(os.kill, os.getppid(), number)
    time.sleep(0.1)
    return "on"


def stay(name: str) -> None:
    """Leave two processes that have left their session and ignore all that can be ignored."""
    for _ in range(2):
        _leave(lambda: _stay(name))


def _stay(name: str) -> None:
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(1, signal.NSIG):
        attempt(signal.signal, number, signal.SIG_IGN)
    _wait_as(name)


def forks(name: str, most: int) -> int:
    """Fork until that is refused; return how often it worked."""
    for count in range(most):
        if attempt(_leave, lambda: _wait_as(name)):
            return count
    return most


def threads(name: str, most: int) -> int:
    """Start threads until that is refused; return how often it worked."""
    rename_process(name)
    threading.stack_size(_SMALL)
    for count in range(most):
        if attempt(lambda: threading.Thread(target=time.sleep, args=(STAYS,), daemon=True).start()):
            return count
    return most


def spread(name: str, cores: list[int]) -> None:
    """Take other cores than those that were given, in a process that stays; which it has is seen outside."""
    rename_process(name)
    attempt(os.sched_setaffinity, 0, cores)


def _wait_as(name: str) -> None:
    rename_process(name)
    time.sleep(STAYS)


def _leave(body: Callable[[], object]) -> None:
    if os.fork() == 0:
        body()
        os._exit(0)
