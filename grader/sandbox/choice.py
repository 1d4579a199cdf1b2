"""Chooses where the worker runs: in bubblewrap's sandbox, or as a plain process where a person has chosen that.

`choose("auto")` takes the best that works on this machine, and the caller shows which: for a person who reads that.
Asking for `bwrap` by name, as a CI job does unless it is told otherwise, gives it or an error. Nothing else falls back:
a sandbox that stops working is a `SandboxError`, never a weaker sandbox.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass

from grader.choices import KINDS
from grader.errors import SandboxError, UsageError
from grader.sandbox import gpus, views
from grader.sandbox.bubblewrap import ENVIRONMENT, INSIDE, Bubblewrap, Command, bubblewrap, joined, left_out
from grader.sandbox.gpus import Gpu


@dataclass(frozen=True)
class Process:
    """No sandbox: limits and processes of its own. `instead` says why it stands in for a better one."""

    instead: str = ""
    name: str = "process"
    confined: bool = False
    gpus: tuple[Gpu, ...] = ()  # what checks may use; a judge's sandbox has one at most
    without: tuple[str, ...] = ()  # what the worker leaves out of its preparations

    @property
    def says(self) -> str:
        """A line on what the person who grades must know."""
        why = f" ({self.instead})" if self.instead else ""
        return f"NO SANDBOX: limits, but no security boundary; submissions can read and write what you can{why}"

    def command(self, fd: int) -> Command:
        caches = {name: os.environ[name] for name in ("MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR") if name in os.environ}
        caches["TMPDIR"] = tempfile.gettempdir()  # the run's: what a killed process leaves goes with that
        searched = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONUSERBASE") if name in os.environ}
        if first := views.outside():
            searched["PYTHONPATH"] = os.pathsep.join(first)
        cuda = joined(gpus.environment(self.gpus, self.confined), searched)
        program = str(INSIDE / "worker.py")
        return Command(
            [sys.executable, "-P", program, str(fd), "open", *left_out(self.without)], {**ENVIRONMENT, **caches, **cuda}
        )


Sandbox = Process | Bubblewrap


def choose(kind: str) -> Sandbox:
    """Return the sandbox of that kind. `SandboxError` where it was asked for by name and does not work."""
    if kind not in KINDS:
        raise UsageError(f"--sandbox {kind}: there are {', '.join(KINDS)}")
    if kind == "process":
        return Process()
    try:
        return bubblewrap()
    except SandboxError as error:
        if kind == "bwrap":
            raise SandboxError(f"{error}; or trust the code, and grade without a sandbox: --sandbox process") from None
        return Process(instead=str(error))
