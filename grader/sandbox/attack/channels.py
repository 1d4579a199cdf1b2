"""Attacks the promise that submissions cannot find each other: one tries to tell the other a bit.

A channel counts as open if a 1 arrives as a 1 after a 0 has arrived as a 0.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial

from grader.inside.attacks.channels import CHANNELS
from grader.sandbox.attack.findings import Attack, Group, Promised, Seen
from grader.sandbox.attack.ground import Ground, Unclear

_TRIES = 3
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
    *("times of a file", "times of device files", "pages of a file in memory"),
    *("names that the kernel knows", "hints for a file"),
)


def _beside(kind: str, ground: Ground) -> Seen:
    return _told(kind, ground, _tell_beside)


def _tell_beside(kind: str, name: str, bit: int, ground: Ground) -> tuple[int, str]:
    """Return the bit that arrives, and what the sender says was refused to it."""
    with ground.submission() as receiver, ground.submission() as sender:
        before = receiver.act("channels", "prepare", kind, name).evidence()
        why = sender.act("channels", "leave", kind, name, bit).evidence()
        return receiver.act("channels", "find", kind, name, before).evidence(), why


def _after(kind: str, ground: Ground) -> Seen:
    return _told(kind, ground, _tell_after)


def _tell_after(kind: str, name: str, bit: int, ground: Ground) -> tuple[int, str]:
    """Have each submission end before the next one begins."""
    before = ground.act("channels", "prepare", kind, name)
    why = ground.act("channels", "leave", kind, name, bit)
    return ground.act("channels", "find", kind, name, before), why


def _told(kind: str, ground: Ground, tell: Callable[[str, str, int, Ground], tuple[int, str]]) -> Seen:
    """Tell a 0 and a 1. Where the 0 arrives as a 1, somebody else on this machine was in the way: try again."""
    for _ in range(_TRIES):
        if _one(kind, 0, ground, tell)[0] == 0:
            arrived, why = _one(kind, 1, ground, tell)
            return Seen(not arrived, "a bit arrives" if arrived else f"no bit arrives{f' ({why})' if why else ''}")
    raise Unclear("it finds what nobody has left")


def _one(
    kind: str, bit: int, ground: Ground, tell: Callable[[str, str, int, Ground], tuple[int, str]]
) -> tuple[int, str]:
    name = f"{ground.token}-{secrets.token_hex(4)}"
    try:
        return tell(kind, name, bit, ground)
    finally:
        if not ground.sandbox.confined:  # there it would outlive the submission
            ground.end_of("channels", "tidy", name)


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
