"""Treats every request to end as Ctrl-C: a command then keeps what it has, ends its processes, and says so.

A batch system sends SIGTERM, SIGXCPU or SIGUSR1 before it kills, a terminal that closes SIGHUP, a container SIGQUIT.
By default each ends Python at once, in the middle of whatever it does.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

REPEATED = 10.0  # seconds in which more of them change nothing: they come in pairs, and an orderly end takes a while
# Faults of the process itself, where a traceback or a core dump tells more than an orderly end.
_FAULTS = {"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGIOT", "SIGSEGV", "SIGSYS", "SIGTRAP"}
_NO_END = {
    *("SIGCHLD", "SIGCLD", "SIGCONT", "SIGURG", "SIGWINCH"),  # ignored by default
    *("SIGTSTP", "SIGTTIN", "SIGTTOU"),  # stop by default
    *("SIGKILL", "SIGSTOP"),  # cannot be handled
    *("SIGPIPE", "SIGXFSZ"),  # errors of what was about to be written, in Python
}


def requests() -> list[int]:
    """List the signals that end a process by default, and mean it."""
    others = {getattr(signal, name) for name in _FAULTS | _NO_END if hasattr(signal, name)}
    return sorted(set(map(int, signal.valid_signals())) - others)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise `KeyboardInterrupt` in the block for each such signal, unless it is ignored, as by `nohup`."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python handles signals in its main thread alone
        return
    handler, before = _Handler(), {}
    usual = (signal.SIG_DFL, signal.default_int_handler)
    for number in requests():
        if signal.getsignal(number) in usual:
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, kept in before.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, kept)


class _Handler:
    def __init__(self) -> None:
        self._last = -REPEATED

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if time.monotonic() - self._last >= REPEATED:
            self._last = time.monotonic()
            raise KeyboardInterrupt
