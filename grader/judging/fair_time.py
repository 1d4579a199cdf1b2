"""Counts a check's time fairly on a busy machine: time for which other programs had the processor does not count.

A limit is looked at by the clock, which costs nothing. Where the clock reaches it, the kernel's counters say what the
check's processes really did, and what they did not have is given back. How much is given back is limited: generously
where they waited for a processor, and far less where they slept, so that code which waits for something that never
comes still ends.

To look at the counters takes longer than many a check, so it is done once a process has had `LEAST` seconds since the
last look at it, whichever checks these were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from grader.sandbox.processes import Usage

QUEUED_FACTOR = 20  # so many times its limit a check may wait for a processor
IDLE_FACTOR = 3  # and so many times it may sleep, or wait for a disk
LEAST = 0.1  # seconds; less is not worth another look


class Computes(Protocol):
    """A check's process, as far as its time is concerned."""

    def usage(self) -> Usage:
        """Return what it and all that it started have used so far."""
        ...


@dataclass
class Look:
    """What a process had used when a submission had `left` seconds."""

    process: Computes
    usage: Usage
    left: float


class Purse(Protocol):
    """The time of a whole submission: `left` is counted down by the clock; `queued` and `idle` can be given back.

    `looked` is the last look at its processes.
    """

    left: float
    queued: float
    idle: float
    looked: Look | None


class FairTime:
    """The time of one check, or of one import; `waited` tells that it ended while it slept more than it computed."""

    def __init__(self, purse: Purse, seconds: float) -> None:
        self.waited = False
        self._purse = purse
        self._queued = self._idle = 0.0  # seconds that could be given back
        self._most_queued, self._most_idle = QUEUED_FACTOR * seconds, IDLE_FACTOR * seconds
        self._process: Computes | None = None

    def enter(self, process: Computes) -> None:
        """Count what this process uses from now on."""
        self._process = process
        looked = self._purse.looked
        if looked is None or looked.process is not process:
            self._purse.looked = Look(process, process.usage(), self._purse.left)

    def leave(self) -> None:
        """Count no longer what the process uses, which still has to be there."""
        self._look(LEAST)
        self._process = None

    def _look(self, least: float = 0.0) -> None:
        """Note what the process did not have since the last look, if that was `least` seconds ago."""
        before, left = self._purse.looked, self._purse.left
        if self._process is None or before is None or before.left - left < least:
            return
        now = self._process.usage()
        missing = max((before.left - left) - max(now.cpu - before.usage.cpu, 0), 0)
        queued = min(missing, max(now.queued - before.usage.queued, 0))  # of several threads it is a sum
        self._queued += queued
        self._idle += missing - queued
        self._purse.looked = Look(self._process, now, left)

    def more(self) -> float:
        """Give back the time that the processes did not have; return how much that is, 0 if there is none."""
        self._look()
        given = self._give_back()
        self.waited = given < LEAST <= self._idle
        return given if given >= LEAST else 0.0

    def end(self) -> None:
        """Give back what the check, which is over, did not have: later checks of the submission have it."""
        self.leave()
        self._give_back()

    def _give_back(self) -> float:
        purse = self._purse
        queued = max(0.0, min(self._queued, self._most_queued, purse.queued))
        self._queued -= queued
        self._most_queued -= queued
        purse.queued -= queued
        idle = max(0.0, min(self._idle, self._most_idle, purse.idle))
        self._idle -= idle
        self._most_idle -= idle
        purse.idle -= idle
        purse.left += queued + idle
        if purse.looked is not None:
            purse.looked.left += queued + idle
        return queued + idle
