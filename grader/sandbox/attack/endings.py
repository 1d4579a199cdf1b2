"""Attacks the promise that a check ends in time, however it behaves, and that this concerns that check alone."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from grader.sandbox.attack.findings import Attack, Group, Promised, Seen
from grader.sandbox.attack.ground import Ground, goes_on

_SECONDS = 0.5  # that an attack may take
_LATE = 2.0  # seconds in which it has to be over, and the next check to have begun
_FLOOD = 256  # MiB


def _end(how: str, expected: tuple[str, ...], args: tuple[Any, ...], ground: Ground) -> Seen:
    """Judge by the clock, by how it ended, and by a check after it."""
    begin = time.monotonic()
    with ground.submission() as submission:
        end = submission.act("endings", how, *args, seconds=_SECONDS)
        well = goes_on(submission)
        seconds = time.monotonic() - begin
    good = end.how in expected and well and seconds < _SECONDS + _LATE * ground.patience
    return Seen(good, f"{end}, over after {seconds:.1f} s, and the next check {'runs' if well else 'does NOT run'}")


def _flood(ground: Ground) -> Seen:
    end = ground.end_of("endings", "flood", _FLOOD, seconds=8.0)
    return Seen(end.how == "evidence", f"{_FLOOD} MiB in {end.seconds:.1f} s, of which the beginning is kept")


def _hold(ground: Ground) -> Seen:
    with ground.submission() as submission:
        begin = time.monotonic()
        end = submission.act("endings", "hold", ground.token, seconds=_SECONDS)
        submission.end_check()
        seconds = time.monotonic() - begin
        left = ground.gone(1.0)
    return Seen(
        seconds < _LATE * ground.patience and not left, f"{end}, over after {seconds:.1f} s, {len(left)} processes left"
    )


def _status(ground: Ground) -> Seen:
    """Judge by the exit status that the keeper saw."""
    with ground.submission() as submission:
        submission.act("endings", "crash")
        status = submission.end_check()
    return Seen(status == -signal.SIGSEGV, f"seen as {status}")


_TIME, _DEATH = ("time",), ("death",)
_ENDINGS: dict[str, Callable[[Ground], Seen]] = {
    "sleeping": partial(_end, "sleep", _TIME, ()),
    "an endless loop that ignores every signal": partial(_end, "spin", _TIME, ()),
    "stopping itself": partial(_end, "stop", _TIME, ()),
    "exiting as if all were well": partial(_end, "leave", _DEATH, (0,)),
    "a crash": _status,
    "a forged answer of four gigabytes": partial(_end, "forge", ("forged",), ()),
    "a flood of output": _flood,
    "a process that keeps the connection open": _hold,
}
GROUP = Group(
    "time and ends",
    "However a check ends, it ends in time, and this is an outcome of that check alone",
    tuple(Attack(what, run, Promised.ALWAYS) for what, run in _ENDINGS.items()),
)
