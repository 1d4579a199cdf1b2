"""Limits the time that a student's code takes in this process, for students at their own desk.

Where code is graded, the limit is enforced from outside, by killing the worker. Here the code is looked at ten times a
second, and interrupted once it has had its time, so that the traceback shows where it was. An alarm signal does that
where there is one; a thread does it elsewhere (on Windows, and outside the main thread). That a library is imported
costs no time of the student's: it is slow on a busy machine, and stays half imported where it is cut short.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import Any

from grader.inside.importing.callers import is_students

IMPORT_SECONDS = 60.0  # that imports of libraries may take, beyond a limit
OWN_SECONDS = IMPORT_SECONDS / 2  # that imports of the student's own files may take beside that
TICK = 0.1
_WAITED = 0.25  # of time in which nothing is computed counts: code that sleeps ends, a busy machine costs little
_AGAIN = 1.0  # seconds until the next interruption, if the code goes on after one
_MEASURES = ("coverage", "hypothesis")  # whose traces are no debugger's
_IMPORTING = "<frozen importlib._bootstrap>"


class DeadlineExceeded(BaseException):
    """Not an `Exception`, so that a loop around `except Exception` cannot swallow it.

    `slow` names the call of a library that most of the time went into, if it was one call.
    """

    def __init__(self, seconds: float = 0.0, slow: str = "") -> None:
        super().__init__(f"stopped after {seconds:g} s")
        self.seconds = seconds
        self.slow = slow


class _Arrived(BaseException):
    """Takes the place of an interruption that comes too late."""


class _Time(Enum):
    """What time is spent on."""

    CODE = "the student's code"
    OWN = "importing a file of the student's"
    LIBRARY = "importing a library"


class Clock:
    """Counts what the student's code takes, by looking at what runs from time to time."""

    def __init__(self, seconds: float, folder: Path | None) -> None:
        self._left = {_Time.CODE: seconds, _Time.OWN: OWN_SECONDS, _Time.LIBRARY: IMPORT_SECONDS}
        self._half = seconds / 2
        self._is_students = cache(partial(is_students, folders=[folder] if folder else []))
        self._last, self._computed = time.monotonic(), time.process_time()
        self._now = 0.0  # on this clock
        self._call: FrameType | None = None  # the library's function that the student's code is in, since `_since`
        self._since = self._now

    @property
    def slow(self) -> str:
        """The call of a library that took at least half of the time, by its names; empty if there was none."""
        if self._call is None or self._now - self._since < self._half:
            return ""
        library = str(self._call.f_globals.get("__name__", "")).partition(".")[0]
        return f"{library} ({self._call.f_code.co_qualname})"

    def is_over(self, frame: FrameType | None) -> bool:
        """Look at what runs now, and tell whether the time for it is up."""
        before, counted = self._now, self._counted()
        self._now += counted
        spent_on, call = self._seen(frame)
        if call is not self._call:
            self._call, self._since = call, before  # code in C may not let itself be looked at for long
        self._left[spent_on] -= counted
        return self._left[spent_on] <= 0

    def _counted(self) -> float:
        """Return what counts of the time since the last look: as for the grade, what others had of it does not."""
        wall, cpu = time.monotonic(), time.process_time()
        passed, computed = wall - self._last, cpu - self._computed
        self._last, self._computed = wall, cpu
        return max(min(computed, passed), _WAITED * passed)

    def _seen(self, frame: FrameType | None) -> tuple[_Time, FrameType | None]:
        """Tell what the time is spent on, and which function of a library the student's code has called."""
        called = below = None
        is_own = False
        while frame is not None:
            file = frame.f_code.co_filename
            if file == _IMPORTING:
                return (_Time.OWN if is_own else _Time.LIBRARY), None
            if not is_own and self._is_students(file):
                is_own, called = True, below
            below, frame = frame, frame.f_back
        return _Time.CODE, called

    def drop(self) -> None:
        """Forget the frame, which would keep alive all that its function holds."""
        self._call = None


@contextmanager
def deadline(seconds: float, folder: Path | None = None) -> Iterator[None]:
    """Raise `DeadlineExceeded` in the block once the code of `folder` has run for `seconds`, and every second after."""
    if _is_debugged():  # a person may take as long as they need
        yield
        return
    clock = Clock(seconds, folder)
    try:
        with _by_signal(clock) if _has_alarm() else _by_thread(clock):
            yield
    except DeadlineExceeded as error:
        if not error.seconds:  # else it is that of a block within this one
            error.seconds, error.slow = seconds, clock.slow
            error.args = (f"stopped after {seconds:g} s",)
        raise
    finally:
        clock.drop()


def _is_debugged() -> bool:
    """Tell whether somebody looks at each line: a debugger, and not what counts lines, such as `pytest --cov`.

    From Python 3.12 on a debugger may also use `sys.monitoring`, as those of VS Code, PyCharm and Python 3.14 do.
    """
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID) is not None:
        return True
    traces: Any = sys.gettrace()
    known = getattr(traces, "__module__", None) or type(traces).__module__
    return traces is not None and str(known).partition(".")[0] not in _MEASURES


_lifted = threading.Event()  # says to the thread that a person has entered the debugger


def cancel() -> None:
    """Lift a running limit, as when a person enters the debugger."""
    _lifted.set()
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def _has_alarm() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


@contextmanager
def _by_signal(clock: Clock) -> Iterator[None]:
    next_at = 0.0

    def look(number: int, frame: FrameType | None) -> None:
        nonlocal next_at
        if clock.is_over(frame) and time.monotonic() >= next_at:
            next_at = time.monotonic() + _AGAIN
            raise DeadlineExceeded

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _by_thread(clock: Clock) -> Iterator[None]:
    """Raise in this thread from another one: code in C, such as a long sleep, is interrupted when it comes back."""
    ended, raised = threading.Event(), threading.Event()
    _lifted.clear()
    watcher = threading.Thread(target=_watch, args=(clock, threading.get_ident(), ended, raised), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        _end(watcher, ended, raised)


def _watch(clock: Clock, thread: int, ended: threading.Event, raised: threading.Event) -> None:
    pause = TICK
    while not ended.wait(pause) and not _lifted.is_set():
        frame = sys._current_frames().get(thread)
        is_over = clock.is_over(frame)
        del frame
        if is_over and not ended.is_set():
            raised.set()
            _raise_in(thread, DeadlineExceeded)
        pause = _AGAIN if is_over else TICK


def _end(watcher: threading.Thread, ended: threading.Event, raised: threading.Event) -> None:
    """End the thread, and take back what it may have raised at the last moment; that may also arrive right here."""
    while True:
        with contextlib.suppress(DeadlineExceeded):
            ended.set()
            watcher.join()
            if raised.is_set():
                _take_back()
            return


def _take_back() -> None:
    """Put another exception in the place of one that has not arrived, and wait for it.

    One that is only taken away leaves Python 3.11 waiting for it: with a debugger, each call would never begin.
    """
    with contextlib.suppress(_Arrived):
        _raise_in(threading.get_ident(), _Arrived)
        while True:
            time.sleep(0)


def _raise_in(thread: int, kind: type[BaseException]) -> None:
    error = ctypes.py_object(kind)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error)
