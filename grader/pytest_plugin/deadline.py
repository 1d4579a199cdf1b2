"""Limits the wall-clock time of code in this process, for students at their own desk.

Where code is graded, the limit is enforced from outside, by killing the worker. Here an alarm signal interrupts the
code, so that the traceback shows where it was. Without alarm signals (on Windows, in threads) there is no limit.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

IMPORT_SECONDS = 60.0  # that an import may go on beyond a limit


class DeadlineExceeded(BaseException):
    """Not an `Exception`, so that a loop around `except Exception` cannot swallow it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"stopped after {seconds:g} s")
        self.seconds = seconds


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise `DeadlineExceeded` in the block once it has run for `seconds`, and every second from then on.

    An import is let finish, within reason: a library that is interrupted stays half imported, and what uses it later
    fails of that.
    """
    if not _possible():
        yield
        return
    last = time.monotonic() + seconds + IMPORT_SECONDS

    def interrupt(number: int, frame: FrameType | None) -> None:
        if time.monotonic() > last or not _importing(frame):
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


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _possible() -> bool:
    return (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and sys.gettrace() is None
    )
