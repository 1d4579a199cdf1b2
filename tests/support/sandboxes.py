"""The sandboxes that tests run in: each one, where a test is about what all must do, or the real one alone."""

from __future__ import annotations

import functools
import os

import pytest

from grader.errors import SandboxError
from grader.sandbox import Bubblewrap, Process, Sandbox, bubblewrap
from tests.support import amount


@functools.cache
def missing() -> str:
    """Say why there is no bubblewrap here, or nothing where it works."""
    try:
        bubblewrap()
    except SandboxError as error:
        return str(error)
    return ""


def real() -> Bubblewrap:
    """Return the sandbox. Skip where there is none, but fail under GRADER_NEEDS_SANDBOX=1, as in CI."""
    if missing() and os.environ.get("GRADER_NEEDS_SANDBOX") == "1":
        pytest.fail(missing())
    if missing():
        pytest.skip(missing())
    return bubblewrap()


def named(kind: str) -> Sandbox:
    """`process` or `bwrap`, for a fixture's parameter."""
    return Process() if kind == "process" else real()


def usual() -> Sandbox:
    """Return the real sandbox where it works, whose zygote is warm in tests, else the one without a boundary."""
    return Process() if missing() else real()


# Both, for promises that hold in either. Where the real one works, a sample tries them there.
_in_full = [] if missing() else [amount.in_full("the real sandbox stands for both")]
BOTH = [pytest.param("process", marks=_in_full), "bwrap"]
