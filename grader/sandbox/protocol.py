"""Defines a request to a worker and its reply, as bytes."""

from __future__ import annotations

from dataclasses import dataclass

Reply = bytes | memoryview


@dataclass(frozen=True)
class Request:
    """One run of a probe: what it needs of its module (`code`, marshalled) under a name, and the encoded call."""

    module: str
    code: bytes
    call: bytes
    fresh: bool
