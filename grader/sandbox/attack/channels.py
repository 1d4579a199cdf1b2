"""Attacks the promise that submissions cannot find each other: one tries to tell the other a bit.

A channel counts as open if the bit arrives for both of its values, so chance and a receiver that is wrong close none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial

from grader.inside.attacks.channels import CHANNELS
from grader.sandbox.attack.findings import Attack, Group, Promised, Seen
from grader.sandbox.attack.ground import Ground, Submission

# The kernel counts or keeps these for a user or for the whole machine, and no namespace changes that.
UNPROMISED = (
    "waiting at a page of a file (futex)",
    "descriptors on their way",
    "the size of new pipes",
    "the machine's count of processes",
)
# What a submission can leave when it has ended; the rest are about what it holds while it runs.
LASTING = (
    *("a file in /tmp", "a file in /dev/shm", "a socket in /tmp", "flags of standard streams"),
    *("messages of System V", "memory of System V", "semaphores of System V", "message queues of POSIX", "keyrings"),
    *("times of a file", "times of device files"),
)


def _beside(kind: str, ground: Ground) -> Seen:
    with ground.submission() as receiver, ground.submission() as sender, _tidied(ground):
        ends = [_tell(kind, bit, sender, receiver) for bit in (0, 1)]
    return _told(ends)


def _after(kind: str, ground: Ground) -> Seen:
    """Have each submission end before the next one begins."""
    with _tidied(ground):
        return _told([_tell_next(kind, bit, ground) for bit in (0, 1)])


def _tell(kind: str, bit: int, sender: Submission, receiver: Submission) -> tuple[int, str]:
    """Return the bit that arrives, and what the sender says was refused to it."""
    before = receiver.act("channels", "prepare", kind).evidence()
    why = sender.act("channels", "leave", kind, bit).evidence()
    return receiver.act("channels", "find", kind, before).evidence(), why


def _tell_next(kind: str, bit: int, ground: Ground) -> tuple[int, str]:
    before = ground.act("channels", "prepare", kind)
    why = ground.act("channels", "leave", kind, bit)
    return ground.act("channels", "find", kind, before), why


@contextlib.contextmanager
def _tidied(ground: Ground) -> Iterator[None]:
    """Remove what outlives a submission where there is no sandbox."""
    try:
        yield
    finally:
        if not ground.sandbox.confined:
            ground.end_of("channels", "tidy")


def _told(ends: list[tuple[int, str]]) -> Seen:
    arrived = [bit for bit, _ in ends] == [0, 1]
    why = ends[1][1]
    return Seen(not arrived, "a bit arrives" if arrived else f"no bit arrives{f' ({why})' if why else ''}")


def _promised(kind: str) -> Promised:
    return Promised.NEVER if kind in UNPROMISED else Promised.CONFINED


GROUPS = (
    Group(
        "side by side",
        "Submissions that are graded at the same moment cannot find each other",
        tuple(Attack(kind, partial(_beside, kind), _promised(kind)) for kind in CHANNELS),
    ),
    Group(
        "one after the other",
        "A submission leaves nothing to the next one",
        tuple(Attack(kind, partial(_after, kind), _promised(kind)) for kind in CHANNELS if kind in LASTING),
    ),
)
