"""Refuses to end, ends at once, floods its output and forges its answer."""

from __future__ import annotations

import os
import signal
import time

from .calls import attempt, rename_process


def well() -> str:
    """Answer as coursework does."""
    return "well"


def sleep() -> None:
    """Sleep past the deadline."""
    time.sleep(30)


def spin() -> None:
    """Ignore every signal, swallow every exception and use up the processor."""
    for number in range(1, signal.NSIG):
        attempt(signal.signal, number, signal.SIG_IGN)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        pass


def stop() -> None:
    """Stop this process, and with it all that could answer."""
    os.kill(os.getpid(), signal.SIGSTOP)


def flood(mib: int) -> str:
    """Write to the output for a while."""
    for _ in range(mib):
        os.write(1, bytes(1 << 20))
    return "well"


def leave(status: int) -> None:
    """Exit as if all were well."""
    os._exit(status)


def crash() -> None:
    """End by a signal."""
    os.kill(os.getpid(), signal.SIGSEGV)


def forge() -> None:
    """Announce an answer of four gigabytes, and another one."""
    os.write(3, b"\xff\xff\xff\xff" + b"E" * 64)
    time.sleep(30)


def hold(name: str) -> None:
    """Leave a process behind that keeps all descriptors open, and end."""
    if os.fork() == 0:
        os.setsid()
        rename_process(name)
        time.sleep(15)
        os._exit(0)
    os._exit(0)
