"""Remembers the requests and replies of checks that passed, so that no evidence is judged twice.

A check draws from the run's seed alone, so its next request and its verdict depend on nothing but the evidence so far.
For each check the transcripts of passed runs form a tree: a request, and what followed each reply to it. A submission
that answers as another one did walks down a branch to its result; Hypothesis draws nothing, and nothing is compared.
Where it answers otherwise, the check itself goes on from there. A request is sent only after the reply to the one
before has come: it may hold what another submission has answered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from grader.results import CheckResult
from grader.sandbox.protocol import Reply, Request

ROOM = 256 << 20  # bytes of requests that are kept


@dataclass
class Asked:
    """A node of a tree: the request, and where each reply leads, by the reply's digest."""

    request: Request
    then: dict[bytes, Asked | CheckResult] = field(default_factory=dict)

    def after(self, reply: Reply) -> Asked | CheckResult | None:
        """Return what followed this reply, the same to the byte; None where it never came."""
        return self.then.get(digest(reply))


class ReplayCache:
    """A tree for each check and seed, within bounds: once they are full, nothing more is learnt."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._first: dict[tuple[str, int], Asked] = {}

    def first(self, check: str, seed: int) -> Asked | None:
        """Return the root of the check's tree, if there is one."""
        return self._first.get((check, seed))

    def learn(self, check: str, seed: int, steps: Sequence[tuple[Request, bytes]], result: CheckResult) -> None:
        """Add a run that passed: its requests, with their replies' digests. One that asked nothing is not worth it."""
        size = sum(len(request.call) for request, _ in steps)  # but for the code, which all runs share
        if not steps or size > self._room:
            return
        self._room -= size
        requests = [Asked(request) for request, _ in steps]
        following: list[Asked | CheckResult] = [*requests[1:], result]
        place: Asked | CheckResult = self._first.setdefault((check, seed), requests[0])
        for (request, reply), after in zip(steps, following, strict=True):
            # If the request is another one, the check depends on more than its evidence, which it must not.
            if isinstance(place, Asked) and place.request == request:
                place = place.then.setdefault(reply, after)


def digest(reply: Reply) -> bytes:
    """Return what stands for a reply wherever one is kept: a reply may be long, and its sender is not trusted."""
    return hashlib.sha256(reply).digest()
