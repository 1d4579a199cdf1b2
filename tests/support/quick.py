"""Judges and workers for few submissions: they start without preparations that take seconds and earn nothing there.

Large pages are a third of a second, and halve what each check costs: `FEW` is for a handful of submissions.

`python -m tests.support.quick` is `python -m grader` with such judges, for tests that start and kill many.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
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


def as_python(file: Path, *search: Path) -> None:
    """Write a program that is Python where these are installed, but for such judges of `python -P -m grader`."""
    path = os.pathsep.join(map(str, (*search, Path(__file__).parents[2])))
    quickly = '[ "$1 $2 $3" = "-P -m grader" ] && shift 3 && set -- -P -m tests.support.quick "$@"'
    file.write_text(f'#!/bin/sh\n{quickly}\nPYTHONPATH="{path}" exec "{sys.executable}" "$@"\n')
    file.chmod(0o755)


if __name__ == "__main__":
    warm.use()
    fork_server_client.Shortcuts = lambda: FEW  # type: ignore[misc, assignment]
    sys.exit(main())
