"""Attacks the promise that no privilege, namespace or needless interface of the kernel is to be had."""

from __future__ import annotations

from functools import partial

from grader.inside.attacks.kernel import CALLS
from grader.sandbox.attack.findings import Attack, Group, Promised, Seen, nothing
from grader.sandbox.attack.ground import Ground

_NEWER = "newer calls"


def _family(family: str, ground: Ground) -> Seen:
    return nothing(ground.act("kernel", "let_through", family), f"all {len(CALLS[family])} calls are refused")


def _tables(ground: Ground) -> Seen:
    return nothing(ground.act("kernel", "other_tables"), "refused")


def _namespaces(ground: Ground) -> Seen:
    return nothing(ground.act("kernel", "namespaces"), "none can be had")


def _privileges(ground: Ground) -> Seen:
    return nothing(ground.act("kernel", "privileges"), "none, and none to get")


def _filter(ground: Ground) -> Seen:
    there = ground.act("kernel", "is_filtered")
    return Seen(there, "it is in force" if there else "there is none")


GROUP = Group(
    "the kernel",
    "Student code gets no privilege, namespace, mount or interface of the kernel that coursework does not need",
    (
        Attack("capabilities, another user and programs that give more", _privileges),
        Attack("new namespaces", _namespaces),
        Attack("whether a filter is in force", _filter),
        *(Attack(f"calls: {family}", partial(_family, family)) for family in CALLS if family != _NEWER),
        Attack("calls by the numbers of 32-bit programs and x32", _tables),
        Attack("calls: newer ones that tell of mounts", partial(_family, _NEWER), Promised.NEVER),
    ),
)
