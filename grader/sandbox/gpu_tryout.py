"""Tests whether a check in the sandbox can train a network on a GPU."""

from __future__ import annotations

import marshal
from pathlib import Path
from typing import Any

from grader.errors import DeviceError, SandboxError
from grader.inside import codec
from grader.sandbox.choice import Sandbox
from grader.sandbox.protocol import Reply, Request
from grader.sandbox.worker_client import KeeperDied, TooMuchMemory, Worker

TRIAL_SECONDS = 120.0  # the first start of a driver can take most of a minute
_MEMORY = 3 << 30
_ENDS = (OSError, KeeperDied, TooMuchMemory, SandboxError, codec.CodecError, DeviceError)


def try_out(sandbox: Sandbox) -> str:
    """Train a small network on the sandbox's one card as in a check; return the card's name, or raise `DeviceError`."""
    worker = Worker(sandbox)
    try:
        return str(evidence(trial(worker))["name"])
    except _ENDS as error:
        why = str(error) or "no answer, or the process ended"
        node = f"/dev/nvidia{sandbox.gpus[0].node}"
        raise DeviceError(f"{node} is there, but CUDA does not work in a check: {why}; see .github/GPU.md") from None
    finally:
        worker.close()


def trial(worker: Worker) -> Reply:
    """Run `grader.inside.gpu_trial` in a worker, as a check of a submission without files; return the reply."""
    source = (Path(__file__).parents[1] / "inside" / "gpu_trial.py").read_text(encoding="utf-8")
    code = marshal.dumps(compile(source, "gpu_trial.py", "exec"))
    call = codec.encode({"module": "gpu_trial", "probe": "train_a_step", "seed": 0, "args": (), "kwargs": {}})
    keeper = worker.keeper("trial", {}, _MEMORY, _MEMORY)
    try:
        process = keeper.check()
        process.ask({"ended": {}}, TRIAL_SECONDS)
        reply = process.run(Request("gpu_trial", code, call, fresh=False), TRIAL_SECONDS)
        process.end()
        return reply
    finally:
        keeper.close()


def evidence(reply: Reply) -> dict[str, Any]:
    """Return what the trial found. `DeviceError` where it raised."""
    found: Any = codec.decode(reply[1:])
    if reply[:1] != b"E":
        raise DeviceError(found["message"] if isinstance(found, dict) else str(found))
    return dict(found)
