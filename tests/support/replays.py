"""Requests, results and walks through what a judge remembers."""

from __future__ import annotations

from grader.judging.replay import Asked, ReplayCache
from grader.results import CheckResult, Outcome
from grader.sandbox.protocol import Request

RESULT = CheckResult("test_a.py::test_b", "1.1", "title", False, 3, 3, Outcome.PASSED)


OTHER = CheckResult("test_a.py::test_b", "1.1", "title", False, 3, 3, Outcome.PASSED, seconds=2.0)


def request(number: int) -> Request:
    return Request("probes", b"code", b"call %d" % number, fresh=False)


def walk(tree: ReplayCache, *replies: bytes, seed: int = 1) -> Asked | CheckResult | None:
    place: Asked | CheckResult | None = tree.first("check", seed)
    for reply in replies:
        assert isinstance(place, Asked)
        place = place.after(reply)
    return place
