"""Has fork servers and other programs forked, as `forker` does, in place of starting them.

A test that is about the start itself uses `cold`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, send_fds  # now: a test may take them away
from typing import IO, Any

from grader.intake.reading import budget
from grader.judging import fork_server_client
from grader.sandbox import zygote
from grader.sandbox.choice import INSIDE
from grader.scratch import Scratch

ADDRESS = "GRADER_TESTS_WARM"  # in the environment: processes that tests start find it there, too
ROOT = Path(__file__).parents[2]
OWN = Path(fork_server_client.__file__).parents[2]  # a test may run a copy of the grader, which it has changed
READER = "grader.intake.reading.process"
WORKER = str(INSIDE / "worker.py")
LONGEST_ORDER = 1 << 17
STATUS = struct.Struct("i")


class Warm:
    """A fork server that was forked: what its parent needs of `subprocess.Popen`."""

    def __init__(self, order: dict[str, Any], descriptors: list[int]) -> None:
        self._connection = socket.socket(AF_UNIX, SOCK_SEQPACKET)
        with contextlib.suppress(ConnectionError):  # `_said` tells why
            self._connection.connect(os.environ[ADDRESS].rpartition(os.pathsep)[2])
            send_fds(self._connection, [json.dumps(order).encode()], descriptors)
        self.pid = self._said()
        self._status: int | None = None

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        if self._status is None:
            poll = select.poll()
            poll.register(self._connection, select.POLLIN)
            if not poll.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired("a fork server", timeout or 0.0)
            self._status = self._said()
            self._connection.close()
        return self._status

    def _said(self) -> int:
        """Receive a number, and learn at once where nobody is left who could send one."""
        with contextlib.suppress(OSError):
            said = self._connection.recv(LONGEST_ORDER)
            if len(said) == STATUS.size:
                return int(STATUS.unpack(said)[0])
            if said:
                raise RuntimeError(f"nothing was forked:\n{said[STATUS.size :].decode()}")
        log = Path(os.environ[ADDRESS].rpartition(os.pathsep)[2]).with_name("log")
        raise RuntimeError(f"the process that forks has ended:\n{log.read_text()}")


def launch(
    arguments: list[str], environment: dict[str, str], scratch: Scratch, descriptors: list[int], log: IO[bytes]
) -> Warm:
    """Fork what `fork_server_client.launch` would start."""
    order = {"arguments": arguments, "environment": environment, "folder": str(scratch.path)}
    return Warm({**order, "descriptors": descriptors}, [*descriptors, log.fileno()])


class Program(Warm):
    """A program that was forked, with what its parents use of `subprocess.Popen`."""

    stdin: IO[bytes] | None = None
    stdout = stderr = None

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def launch_worker(
    arguments: list[str], environment: dict[str, str], descriptor: int, log: IO[bytes] | None
) -> subprocess.Popen[bytes]:
    """Fork a worker that nothing confines; a sandbox starts its own, of the Python that it shows."""
    if WORKER not in arguments or "PYTHONPATH" in environment:
        return _cold_worker(arguments, environment, descriptor, log)
    order = {"script": WORKER, "arguments": arguments[arguments.index(WORKER) + 2 :], "environment": environment}
    said = sys.__stderr__.fileno() if log is None else log.fileno()  # type: ignore[union-attr]
    return Warm({**order, "folder": os.getcwd(), "descriptors": []}, [descriptor, said])  # type: ignore[return-value]


def launch_reader(arguments: list[str], log: IO[bytes], **streams: Any) -> subprocess.Popen[bytes]:
    """Fork a process that reads submissions; its connection takes the place of its input."""
    where, service, *limits = arguments
    if not where.startswith("open:"):
        return _cold_reader(arguments, log, **streams)
    order = {
        "module": READER,
        "arguments": ["open:0", service, *limits],
        "path": [],
        "imports": [READER, service],
        "frozen": True,
    }
    order |= {"environment": dict(os.environ), "folder": os.getcwd(), "descriptors": []}
    return Program(order, [*streams["pass_fds"], log.fileno(), log.fileno()])  # type: ignore[return-value]


def popen(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | Path | None = None,
    stdin: int | None = None, stdout: IO[bytes] | None = None, stderr: IO[bytes] | None = None,
    imports: Sequence[str] = (), **_: Any,
) -> Program:  # fmt: skip
    """Fork what `subprocess.Popen([python, …, "-m", MODULE, …])` would start, with these imported for all like it."""
    at, environment, folder = command.index("-m"), dict(env or os.environ), str(cwd or os.getcwd())
    path = [] if "-P" in command[:at] else [folder]
    path += [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    order = {"module": command[at + 1], "arguments": list(command[at + 2 :]), "path": path}
    order |= {"environment": environment, "folder": folder, "descriptors": [], "imports": list(imports)}
    reads, writes = os.pipe()
    said = [(stream or usual).fileno() for stream, usual in ((stdout, sys.__stdout__), (stderr, sys.__stderr__))]  # type: ignore[union-attr]
    program = Program(order, [reads, *said])
    os.close(reads)
    if stdin == subprocess.PIPE:
        program.stdin = os.fdopen(writes, "wb")
    else:
        os.close(writes)
    return program


def run(command: Sequence[str], *, encoding: str = "utf-8", **given: Any) -> subprocess.CompletedProcess[str]:
    """Do what `subprocess.run(…, capture_output=True, encoding=…)` does, with a fork."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        status = popen(command, stdout=stdout, stderr=stderr, **given).wait()
        said = []
        for file in (stdout, stderr):
            file.seek(0)
            said.append(file.read().decode(encoding))
        return subprocess.CompletedProcess(command, status, *said)


_cold = fork_server_client.launch
_cold_worker = zygote.launch
_cold_reader = budget.launch


def use() -> None:
    """Have this process fork its fork servers from now on, where there is a process of the same grader to fork them."""
    if os.environ.get(ADDRESS, "").rpartition(os.pathsep)[0] == str(OWN):
        fork_server_client.launch, zygote.launch = launch, launch_worker


@contextlib.contextmanager
def started() -> Iterator[subprocess.Popen[bytes]]:
    """Have such a process as long as the block runs."""
    before, address = (fork_server_client.launch, zygote.launch, budget.launch), os.environ.get(ADDRESS)
    with (
        tempfile.TemporaryDirectory(prefix="warm-") as folder,
        socket.socket(AF_UNIX, SOCK_SEQPACKET) as own,
    ):
        own.bind(f"{folder}/orders")
        own.listen(16)
        command = [sys.executable, "-P", "-m", "tests.support.forker", str(own.fileno())]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with open(f"{folder}/log", "wb") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                pass_fds=[own.fileno()],
                stdin=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        own.close()  # it alone listens, so that orders are refused once it has ended
        os.environ[ADDRESS] = f"{OWN}{os.pathsep}{folder}/orders"
        use()
        budget.launch = launch_reader
        try:
            yield process
        finally:
            fork_server_client.launch, zygote.launch, budget.launch = before
            del os.environ[ADDRESS]
            if address is not None:
                os.environ[ADDRESS] = address
            process.communicate()  # the end of its input ends it


@contextlib.contextmanager
def cold() -> Iterator[None]:
    """Start fork servers as the kit does, as long as the block runs, in processes that it starts, too."""
    address = os.environ.pop(ADDRESS, None)
    kept = fork_server_client.launch, zygote.launch, budget.launch
    fork_server_client.launch, zygote.launch, budget.launch = _cold, _cold_worker, _cold_reader
    try:
        yield
    finally:
        fork_server_client.launch, zygote.launch, budget.launch = kept
        if address is not None:
            os.environ[ADDRESS] = address
