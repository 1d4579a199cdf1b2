"""Limits the wall-clock time of code in this process, for students at their own desk.

Where code is graded, the limit is enforced from outside, by killing the worker. Here an alarm signal interrupts the
code, so that the traceback shows where it was. Without alarm signals (on Windows, in threads) there is no limit.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class DeadlineExceeded(BaseException):
    """Not an `Exception`, so that a loop around `except Exception` cannot swallow it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"stopped after {seconds:g} s")
        self.seconds = seconds


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise `DeadlineExceeded` in the block once it has run for `seconds`, and every second from then on."""
    if not _possible():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise DeadlineExceeded(seconds)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        cancel()
        signal.signal(signal.SIGALRM, before)


def cancel() -> None:
    """Lift a running limit, as when a person enters the debugger."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def _possible() -> bool:
    return (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and sys.gettrace() is None
    )
