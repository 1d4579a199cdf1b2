"""Holds the ground that attacks are made on: a worker as judges have it, and what lies on this machine to be attacked.

An attack runs as a check's probe does: its modules are handed in as a submission, in a keeper of its own. Whatever it
leaves on this machine is found by the token in its name, and removed at the end.
"""

from __future__ import annotations

import contextlib
import functools
import marshal
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from grader.inside import codec, wire
from grader.sandbox.bubblewrap import INSIDE
from grader.sandbox.choice import Sandbox
from grader.sandbox.protocol import Request
from grader.sandbox.worker_client import CheckProcess, Keeper, KeeperDied, TooMuchMemory, Worker
from grader.scratch import held

MEMORY = 512 << 20
SECONDS = 4.0  # for one attack
PATIENCE = 1.0  # times as long as usual an answer may take, where several runs share a busy machine
SHORT = 1.0  # seconds; an attack that has less is meant to run out of time
ALL_SECONDS = 90.0  # for all of them, once the worker is warm; most machines need a quarter
_ATTACKS = INSIDE / "attacks"


class Unclear(Exception):
    """The attack did not do what it was to do, so nothing follows from it."""


@dataclass(frozen=True)
class End:
    """How an attack ended: `evidence` (with its value), `error` (its text), `time`, `memory`, `death` or `forged`."""

    how: str
    value: Any
    seconds: float

    def evidence(self) -> Any:
        """Return what it saw. `Unclear` where it has not come that far."""
        if self.how != "evidence":
            raise Unclear(f"the attack did not come to its end ({self})")
        return self.value

    def __str__(self) -> str:
        texts = {"time": "no answer in time", "memory": str(self.value), "death": "its process ended"}
        return texts.get(self.how, str(self.value))


class Ground:
    """A warm worker, and things to attack. Leaving the block ends all processes and removes all files."""

    def __init__(self, sandbox: Sandbox, cores: Collection[int]) -> None:
        self.sandbox = sandbox
        self.cores = cores
        self.token = f"atk{secrets.token_hex(5)}"  # no longer than a process's name may be
        self.worker = Worker(sandbox, cores)
        self.end_at = 0.0
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Ground:
        try:
            self._open.callback(self._sweep)
            self.folder = self._open.enter_context(held())
            self._open.callback(self.worker.close)
            with _variable("GRADER_ATTACK_SECRET", self.token):
                self.worker.start().wait()
            self.end_at = time.monotonic() + ALL_SECONDS
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    @property
    def patience(self) -> float:
        """How many times as long as usual an answer, or an end, may take."""
        return PATIENCE

    def left(self, seconds: float) -> float:
        """Return how many of these seconds are left for one attack."""
        patient = seconds * (PATIENCE if seconds >= SHORT else 1)
        return min(patient, self.end_at - time.monotonic())

    def act(self, module: str, name: str, *args: Any, seconds: float = SECONDS) -> Any:
        """Run one attack in a submission of its own; return its evidence."""
        return self.end_of(module, name, *args, seconds=seconds).evidence()

    def end_of(self, module: str, name: str, *args: Any, seconds: float = SECONDS, memory: int = MEMORY) -> End:
        """Run one attack in a submission of its own; return how it ended."""
        with self.submission(memory) as submission:
            return submission.act(module, name, *args, seconds=seconds)

    @contextlib.contextmanager
    def submission(self, memory: int = MEMORY) -> Iterator[Submission]:
        """Hand the attacks in as a submission."""
        keeper = self.worker.keeper("week1", _files(), memory)
        submission = Submission(self, keeper)
        try:
            yield submission
        finally:
            submission.close()

    @contextlib.contextmanager
    def victim(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start a process that others must neither see nor disturb."""
        program = "import time; time.sleep(60)"
        environment = {"PATH": os.defpath, "SECRET": self.token}
        victim = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", program],
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield victim
        finally:
            victim.kill()
            victim.wait()

    def named(self) -> list[int]:
        """Return the living processes of this machine that an attack has given the token as their name."""
        return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if self._is_named(pid)]

    def _is_named(self, pid: int) -> bool:
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return False
        return text.startswith(f"Name:\t{self.token}\n") and "\nState:\tZ" not in text

    def gone(self, seconds: float) -> list[int]:
        """Wait until no such process is left; return those that are left all the same."""
        end = time.monotonic() + seconds
        while (found := self.named()) and time.monotonic() < end:
            time.sleep(0.02)
        return found

    def _sweep(self) -> None:
        for pid in self.named():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        for folder in (tempfile.gettempdir(), "/dev/shm"):
            for left in Path(folder).glob(f"*{self.token}*"):
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)


class Submission:
    """The attacks as one submission; a check process at a time, which goes on until `end_check`."""

    def __init__(self, ground: Ground, keeper: Keeper) -> None:
        self._ground = ground
        self._keeper = keeper
        self._check: CheckProcess | None = None
        self._closed = False

    def act(self, module: str, name: str, *args: Any, seconds: float = SECONDS) -> End:
        """Run one attack in the check's process, and return how it ended; a process that still answers stays."""
        begin = time.monotonic()
        call = {"module": "probe", "probe": "act", "seed": 1, "args": [module, name, list(args)], "kwargs": {}}
        try:
            if self._check is None:
                self._check = self._begin()
            reply = self._check.run(Request("probe", _probe(), codec.encode(call), False), self._ground.left(seconds))
            how, value = _read(bytes(reply))
        except TimeoutError:
            how, value = "time", None
        except TooMuchMemory as error:
            how, value = "memory", str(error)
        except wire.TooLong as error:
            how, value = "forged", str(error)
        except codec.CodecError as error:
            how, value = "forged", str(error)
        except (OSError, KeeperDied) as error:
            how, value = "death", str(error)
        return End(how, value, time.monotonic() - begin)

    def _begin(self) -> CheckProcess:
        check = self._keeper.check()
        check.ask({"ended": {}}, self._ground.left(SECONDS))
        return check

    def end_check(self) -> int | None:
        """End the check's process; return how it ended. The next attack gets another one."""
        if self._check is None:
            return None
        check, self._check = self._check, None
        return check.status()

    def close(self) -> None:
        """End all of its processes, whatever has become of the keeper."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(KeeperDied):
                self.end_check()
            self._keeper.close()


def goes_on(submission: Submission) -> bool:
    """End the check's process; tell whether the submission's next check runs."""
    try:
        submission.end_check()
    except KeeperDied:
        return False
    return submission.act("endings", "well").how == "evidence"


def _read(reply: bytes) -> tuple[str, Any]:
    kind, body = reply[:1], codec.decode(reply[1:])
    if kind == b"E":
        return "evidence", body
    if kind == b"R" and isinstance(body, dict):
        return "memory" if body.get("outcome") == "memory" else "error", f"{body.get('type')}: {body.get('message')}"
    return "error", "what came is no answer"


@functools.cache
def _files() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in _ATTACKS.glob("*.py") if file.stem not in ("__init__", "probe")}


@functools.cache
def _probe() -> bytes:
    return marshal.dumps(compile((_ATTACKS / "probe.py").read_text(encoding="utf-8"), "probe.py", "exec"))


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
