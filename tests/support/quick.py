"""Judges and workers for few submissions: they start without preparations that take seconds and earn nothing there.

Large pages are a third of a second, and halve what each check costs: `FEW` is for a handful of submissions.

`python -m tests.support.quick` is `python -m grader` with such judges, for tests that start and kill many.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TypeVar

from grader.cli.main import main
from grader.judging import fork_server_client
from grader.judging.shortcuts import without
from grader.sandbox import Sandbox
from tests.support import warm

QUICK = without(("imports", "rehearsal"))
FEW = without(("imports", "rehearsal", "pages"))
S = TypeVar("S", bound=Sandbox)


def quick(sandbox: S) -> S:
    """Return the same sandbox with a worker that starts without these preparations."""
    return replace(sandbox, without=QUICK.inside)


if __name__ == "__main__":
    warm.use()
    fork_server_client.Shortcuts = lambda: FEW  # type: ignore[misc, assignment]
    sys.exit(main())
