"""Offers the service that filters texts, and takes for ever over one that says `slow`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grader.similarity import tokens


class Service(tokens.Service):
    def answer(self, request: dict[str, Any]) -> Iterator[Any]:
        while "slow" in request["text"]:
            pass
        yield from super().answer(request)
