"""Makes system calls by their numbers, and runs what may end its process in a fork."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
from collections.abc import Callable
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
COLUMN = 1 if platform.machine() == "aarch64" else 0  # of a pair of numbers: x86-64, 64-bit ARM
_SET_NAME = 15  # of prctl(2)


def call(number: int, *arguments: Any) -> int:
    """Make a system call; return its result, or its error number below zero."""
    result = libc.syscall(ctypes.c_long(number), *map(_as_word, arguments))
    return result if result >= 0 else -ctypes.get_errno()


def _as_word(argument: Any) -> Any:
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def attempt(body: Callable[..., Any], *arguments: Any) -> str:
    """Call it; return what it raised, or nothing where it worked."""
    try:
        body(*arguments)
    except Exception as error:
        return str(error) or type(error).__name__
    return ""


def ways(attempts: dict[str, Callable[[], Any]]) -> list[str]:
    """Return the names of those that work."""
    return [name for name, body in attempts.items() if not attempt(body)]


def in_fork(body: Callable[[], int]) -> str:
    """Run it in a fork; return how it ended: `done`, an error's name, or a signal's."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(1)
        try:
            result = body()
        except OSError as error:
            result = -(error.errno or 1)
        os._exit(min(-result, 254) if result < 0 else 0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status < 0:
        return signal.Signals(-status).name
    return errno.errorcode.get(status, str(status)) if status else "done"


def rename_process(name: str) -> None:
    """Give this process a name by which it is found outside."""
    libc.prctl(_SET_NAME, name.encode(), 0, 0, 0)
