"""Defines a request to a worker and its reply, as bytes."""

from __future__ import annotations

from dataclasses import dataclass

Reply = bytes | memoryview


@dataclass(frozen=True)
class Request:
    """One run of a probe: the module of probes that defines it (`code`, marshalled), and the encoded call."""

    module: str
    code: bytes
    call: bytes
    fresh: bool
