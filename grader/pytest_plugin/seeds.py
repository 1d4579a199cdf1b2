"""Derives every draw of a run from one seed, in a way that a student cannot follow."""

from __future__ import annotations

import hashlib
import hmac


def check_seed(salt: bytes, seed: int, check: str) -> int:
    """A 63-bit seed for one check: HMAC-SHA256 of the run's seed and the check's id, keyed with `salt`.

    When grading, `salt` comes from the hidden material, so that whoever finds the run's seed in a report still
    cannot compute what the checks drew.
    """
    return _number(hmac.new(salt, f"{seed}:{check}".encode(), hashlib.sha256).digest())


def probe_seed(seed: int) -> int:
    """What the global generators beside the student's code start from: tells nothing of `seed`, the check's own.

    Whoever had the check's seed could draw again what the judge drew, and so the answers.
    """
    return _number(hashlib.sha256(f"probe:{seed}".encode()).digest())


def _number(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big") >> 1
