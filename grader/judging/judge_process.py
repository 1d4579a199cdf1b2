"""Judges as the parent sees them: processes that grade a job at a time, forked from one that has read everything.

That one, the nursery, imports torch and collects the checks once, and holds a warm sandbox for all of its judges; so a
judge that dies is replaced at once. It ends with the last of its judges, or with the parent.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgpack

from grader import devices
from grader.errors import CourseError, GraderError, Killed, SandboxError, from_dict
from grader.exchange import Exchange
from grader.inside import wire
from grader.processes import kill_tree, signal_name
from grader.results import CheckResult, Report
from grader.sandbox import Sandbox
from grader.scratch import Scratch

START_SECONDS = 180.0
FORK_SECONDS = 20.0
JOB_SECONDS = 1800.0
END_SECONDS = 5.0  # from the end of a nursery's connection, or from SIGKILL, to its own
LINES = 15  # of a log that an error shows
LONGEST_NEWS = 1 << 16  # bytes of what a nursery says once it has started, or cannot
PID = struct.Struct("i")


@dataclass(frozen=True)
class Job:
    """One submission to grade, by value. `kept` are results of an earlier run that need no check to run again."""

    student: str
    week: str
    files: dict[str, bytes]
    digest: str
    notes: tuple[str, ...]
    seed: int
    kept: tuple[CheckResult, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {**self.__dict__, "notes": list(self.notes), "kept": [check.to_dict() for check in self.kept]}


class NurseryProcess:
    """The process that judges are forked from, started when the first is asked for, and again where it has died.

    All methods may be called from several threads. What its judges learn they tell each other by `exchange`.
    """

    def __init__(self, root: Path, weeks: Sequence[str], sandbox: Sandbox) -> None:
        self.exchange = Exchange()
        self._root = root
        self._weeks = list(weeks)
        self._sandbox = sandbox
        self._users: set[object] = set()
        self._one_by_one = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False  # whether it has said so
        self._scratch: Scratch | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this does

    def fork(self, user: object, sandbox: Sandbox, cores: Sequence[int]) -> Forked:
        """A new judge, whose user must `leave` when it is no longer needed.

        Raises `CourseError` where the checks cannot be loaded, `Killed` where the nursery was killed, else
        `SandboxError`.
        """
        self._users.add(user)
        self.exchange.enter(user)
        with self._one_by_one:
            if user not in self._users:
                raise SandboxError("the judge was closed before it had started")
            control = self._started()
            ours, theirs = socket.socketpair()
            log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the judge
            order = json.dumps({"sandbox": devices.packed(sandbox), "cores": list(cores)}).encode()
            try:
                with theirs:
                    socket.send_fds(control, [order], [theirs.fileno(), log.fileno()])
                    answer, fds, _, _ = socket.recv_fds(control, PID.size, 1)
                    return Forked(PID.unpack(answer)[0], fds[0], ours, log)
            except (OSError, struct.error, IndexError):
                ours.close()
                log.close()
                self._end()
                raise Killed("the process that judges are forked from was killed") from None

    def leave(self, user: object) -> None:
        """The user's judge is no more; with the last one the nursery is killed, whatever it does."""
        self._users.discard(user)
        self.exchange.leave(user)
        process = self._process
        if self._users or process is None:
            return
        if process.poll() is None:
            kill_tree(process.pid, root_too=True)  # whoever waits for it is told by its connection
        with self._one_by_one:
            if self._process is process:
                self._end()

    def start(self) -> None:
        """Start it without waiting for it, nor for the first judge to be asked for."""
        with self._one_by_one:
            if self._control is None:
                self._launch()

    def _launch(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = self._start(theirs)
        self._ready = False

    def _started(self) -> socket.socket:
        if self._control is None:
            self._launch()
        assert self._control is not None
        if not self._ready:
            self._control.settimeout(START_SECONDS)
            try:
                news = self._control.recv(LONGEST_NEWS)
            except OSError:
                news = b""
            if news != b"ready":
                raise self._not_started(news)
            self._control.settimeout(FORK_SECONDS)
            self._ready = True
        return self._control

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        self._scratch = Scratch()
        environment = {
            **os.environ,
            **_caches(self._root),
            "PYTHONPATH": os.pathsep.join([str(self._root), *_own_folder()]),
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(self._scratch.path),  # what a killed judge leaves goes with the folder
        }
        environment.pop("PYTEST_ADDOPTS", None)
        arguments = [str(theirs.fileno()), str(self._root), devices.packed(self._sandbox), *self._weeks]
        return subprocess.Popen(
            # -P: the working folder may be a student's checkout, with a `torch.py` of its own.
            [sys.executable, "-P", "-m", "grader.nursery", *arguments],
            env=environment,
            pass_fds=[theirs.fileno(), self._scratch.lock],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for the parent, which ends judges in order
        )

    def _not_started(self, news: bytes) -> GraderError:
        """Why there is no nursery; one that was killed says nothing about the checks."""
        assert self._process is not None
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            status = 0
        tail = _tail(self._log)
        self._end()
        if news:
            return from_dict(json.loads(news))
        if status < 0:
            return Killed(f"the judge was {signal_name(status)} while it started{tail}")
        return CourseError(f"the checks of {', '.join(self._weeks)} cannot be loaded{tail}")

    def _end(self) -> None:
        """Kill the process and everything below it, and remove what it had on disk."""
        if self._process is not None:
            kill_tree(self._process.pid, root_too=True)
            self._process.wait()
        if self._control is not None:
            self._control.close()
        if self._scratch is not None:
            self._scratch.remove()
        self._process = self._control = self._scratch = None


@dataclass(frozen=True)
class Forked:
    """A judge's process: its number, a descriptor that tells when it ends (pidfd_open(2)), its connection and log."""

    pid: int
    end: int
    connection: socket.socket
    log: IO[bytes]

    def kill(self) -> None:
        """Kill it and everything below it."""
        if not self._ended(0):
            kill_tree(self.pid, root_too=True)
            self._ended(END_SECONDS)
        os.close(self.end)
        self.connection.close()
        self.log.close()

    def _ended(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self.end, select.POLLIN)
        return bool(poll.poll(seconds * 1000))


class JudgeProcess:
    """One judge, started at its first job. `grade` raises `SandboxError` where the judge dies.

    It is forked from the `nursery`, if there is one for several, or from one of its own.
    """

    def __init__(
        self,
        root: Path,
        weeks: Sequence[str],
        sandbox: Sandbox,
        cores: Sequence[int] = (),
        nursery: NurseryProcess | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._cores = cores
        self._nursery = nursery or NurseryProcess(root, weeks, sandbox)
        self._forked: Forked | None = None

    @property
    def pid(self) -> int | None:
        """The number of its process, while there is one."""
        return self._forked.pid if self._forked else None

    def grade(self, job: Job) -> Report:
        judge, exchange = self._started(), self._nursery.exchange
        try:
            judge.connection.settimeout(JOB_SECONDS)
            for said in exchange.take(self):
                wire.send(judge.connection, msgpack.packb({"heard": said}))
            wire.send(judge.connection, msgpack.packb({**job.to_dict(), "tell": exchange.has_others(self)}))
            reply = self._reply(judge)
        except OSError as error:
            tail = _tail(judge.log)
            self.close()
            raise SandboxError(f"the judge died while grading ({type(error).__name__}){tail}") from None
        if said := reply.get("said"):
            exchange.give(self, said)
        return Report.from_dict(reply["report"])

    def _started(self) -> Forked:
        if self._forked is None:
            try:
                judge = self._forked = self._nursery.fork(self, self._sandbox, self._cores)
            except GraderError:
                self._nursery.leave(self)
                raise
            try:
                judge.connection.settimeout(START_SECONDS)
                self._reply(judge)
            except OSError:
                tail = _tail(judge.log)
                self.close()
                raise Killed(f"the judge was killed before it began to grade{tail}") from None
        return self._forked

    def _reply(self, judge: Forked) -> Any:
        reply = msgpack.unpackb(wire.receive(judge.connection))
        if "error" in reply:
            self.close()
            raise from_dict(reply)
        return reply

    def close(self) -> None:
        """Kill the judge and everything below it."""
        if self._forked is not None:
            forked, self._forked = self._forked, None
            forked.kill()
        self._nursery.leave(self)


def _tail(log: IO[bytes]) -> str:
    try:
        log.seek(0)
        lines = log.read().decode("utf-8", "replace").strip().splitlines()
    except ValueError:  # closed by whoever has ended the judge
        return ""
    return ":\n" + "\n".join(lines[-LINES:]) if lines else ""


def _own_folder() -> list[str]:
    """Where this package lies, for a judge has to be of the same version; nothing where Python finds it anyway."""
    folder = Path(__file__).resolve().parents[1]
    return [] if folder.name in ("site-packages", "dist-packages") else [str(folder)]


def _caches(root: Path) -> dict[str, str]:
    """Where libraries may keep their caches: in the course's folder, not in the home or temporary folder."""
    names = {
        "MPLCONFIGDIR": "matplotlib",
        "TORCHINDUCTOR_CACHE_DIR": "torch",
        "HYPOTHESIS_STORAGE_DIRECTORY": "hypothesis",
    }
    return {name: str(root / ".cache" / folder) for name, folder in names.items()}
