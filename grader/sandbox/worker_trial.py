"""Trains a small network in a real worker, as a check would, for the doctor."""

from __future__ import annotations

from typing import IO

from grader.errors import DeviceError, SandboxError
from grader.inside import codec
from grader.sandbox.choice import Sandbox
from grader.sandbox.gpu_tryout import evidence, trial
from grader.sandbox.worker_client import KeeperDied, TooMuchMemory, Worker
from grader.sandbox.zygote import Zygote

FAILURES = (OSError, KeeperDied, TooMuchMemory, SandboxError, codec.CodecError, DeviceError)


def version(sandbox: Sandbox, log: IO[bytes]) -> str:
    """Start a worker that writes to `log`, and train in it; return torch's version there. Raises one of `FAILURES`."""
    worker = Worker(sandbox, (), Zygote(sandbox, log))
    try:
        return str(evidence(trial(worker))["torch"])
    finally:
        worker.close()
