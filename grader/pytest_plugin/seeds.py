"""Derives every draw of a run from one seed, in a way that a student cannot follow."""

from __future__ import annotations

import hashlib
import hmac


def check_seed(salt: bytes, seed: int, check: str) -> int:
    """Return a 63-bit seed for one check: HMAC-SHA256 of the run's seed and the check's id, keyed with `salt`.

    In grading, `salt` comes from the hidden material. So the run's seed, which a report shows, does not suffice to
    compute what the checks drew.
    """
    return _number(hmac.new(salt, f"{seed}:{check}".encode(), hashlib.sha256).digest())


def probe_seed(seed: int) -> int:
    """Return a seed for the global generators beside the student's code; it tells nothing of `seed`, the check's own.

    Code that had the check's seed could repeat the judge's draws, and so compute the answers.
    """
    return _number(hashlib.sha256(f"probe:{seed}".encode()).digest())


def _number(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big") >> 1
