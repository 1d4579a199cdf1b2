"""Starts the fork server, and asks it for judges."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from grader.errors import CourseError, GraderError, Killed, SandboxError, from_dict
from grader.judging.shortcuts import Shortcuts
from grader.judging.watch import Watch
from grader.pytest_plugin import shut_out
from grader.sandbox import Sandbox, devices, views
from grader.sandbox.processes import kill_tree, signal_name
from grader.scratch import Scratch, last_lines, new_log

START_SECONDS = 180.0
FORK_SECONDS = 20.0
END_SECONDS = 5.0  # from the end of a fork server's connection, or from SIGKILL, to the end of the process
LONGEST_NEWS = 1 << 16  # bytes of what a fork server says once it has started, or cannot
PID = struct.Struct("i")


class ForkServer:
    """The process that judges are forked from, started when the first is asked for, and again where it has died.

    All methods may be called from several threads.
    """

    def __init__(self, root: Path, weeks: Sequence[str], sandbox: Sandbox, shortcuts: Shortcuts | None = None) -> None:
        self._root = root.absolute()  # it starts in another folder
        self._weeks = list(weeks)
        self._sandbox = sandbox
        self._shortcuts = shortcuts or Shortcuts()
        self._watch = None if sandbox.confined else Watch(self._root, self._weeks)
        self._users: set[object] = set()
        self._one_by_one = threading.Lock()
        self._process: Program | None = None
        self._control: socket.socket | None = None
        self._ready = False  # whether it has said so
        self._scratch: Scratch | None = None
        self._log = new_log()

    def fork(self, user: object, sandbox: Sandbox, cores: Sequence[int]) -> Forked:
        """Fork a new judge, whose user must `leave` when it is no longer needed.

        Raises `CourseError` where the checks cannot be loaded, `Killed` where the fork server was killed, `TamperError`
        where it must not start again, else `SandboxError`.
        """
        self._users.add(user)
        with self._one_by_one:
            if user not in self._users:
                raise SandboxError("the judge was closed before it had started")
            control = self._started()
            ours, theirs = socket.socketpair()
            log = new_log()
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

    def watched(self, submission: str) -> AbstractContextManager[None]:
        """Watch over what grades depend on while a submission is judged; `TamperError` at the end of the block."""
        return nullcontext() if self._watch is None else self._watch.over(submission)

    def leave(self, user: object) -> None:
        """Note that the user's judge has ended; after the last one kill the fork server, whatever it does."""
        self._users.discard(user)
        process = self._process
        if self._users or process is None:
            return
        if process.poll() is None:
            kill_tree(process.pid, root_too=True)  # a thread that waits for it sees its connection end
        with self._one_by_one:
            if self._process is process:
                self._end()

    def start(self) -> None:
        """Start it before the first judge is asked for, without waiting for it."""
        with self._one_by_one:
            if self._control is None:
                self._launch()

    def _launch(self) -> None:
        if self._watch is not None:
            self._watch.look()
        if self._sandbox.confined:
            views.refuse_course(self._root)
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

    def _start(self, theirs: socket.socket) -> Program:
        self._scratch = Scratch()
        environment = {
            **os.environ,
            **_caches(self._root),
            "PYTHONPATH": os.pathsep.join([str(self._root), *_own_folder(), *views.outside()]),
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(self._scratch.path),  # what a killed judge leaves goes with the folder
        }
        shut_out(environment)
        without = ",".join(self._shortcuts.left_out)
        arguments = [str(theirs.fileno()), str(self._root), devices.packed(self._sandbox), without, *self._weeks]
        return launch(arguments, environment, self._scratch, [theirs.fileno(), self._scratch.lock], self._log)

    def _not_started(self, news: bytes) -> GraderError:
        """Say why there is no fork server; one that was killed says nothing about the checks."""
        assert self._process is not None
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            status = 0
        tail = last_lines(self._log)
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


def launch(
    arguments: list[str], environment: dict[str, str], scratch: Scratch, descriptors: list[int], log: IO[bytes]
) -> Program:
    """Start the program with these descriptors and this log. The kit's own tests fork it instead."""
    return subprocess.Popen(
        # The working folder may be a student's checkout, with a `torch.py` or a `matplotlibrc` of its own.
        [sys.executable, "-P", "-m", "grader.judging.fork_server", *arguments],
        env=environment,
        cwd=scratch.path,
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C is for the parent, which ends judges in order
    )


class Program(Protocol):
    """The part of `subprocess.Popen` that the fork server's parent needs."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit status; `subprocess.TimeoutExpired` where it does not end in time."""


@dataclass(frozen=True)
class Forked:
    """A judge's process: its id, a descriptor that tells when it ends (pidfd_open(2)), its connection and its log."""

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


def _own_folder() -> list[str]:
    """Return this package's folder, as a judge has to be of the same version; nothing where Python finds it anyway."""
    folder = Path(__file__).resolve().parents[2]
    return [] if folder.name in ("site-packages", "dist-packages") else [str(folder)]


def _caches(root: Path) -> dict[str, str]:
    """Have libraries keep their caches in the course's folder, not in the home or temporary folder."""
    names = {
        "MPLCONFIGDIR": "matplotlib",
        "TORCHINDUCTOR_CACHE_DIR": "torch",
        "HYPOTHESIS_STORAGE_DIRECTORY": "hypothesis",
    }
    return {name: str(root / ".cache" / folder) for name, folder in names.items()}
