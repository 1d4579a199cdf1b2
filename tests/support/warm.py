"""Fork servers, and other programs, that are forked from a process which has imported torch and pytest.

The suite starts some 60 fork servers, and each with its zygote costs more than most tests do. `python -m
tests.support.warm ADDRESS` forks them on order. They run the very program, `grader.judging.fork_server`, with an
environment, folder and descriptors of their own; what they skip is Python's start. A zygote of a real sandbox serves
many judges in a class as well, so here it serves many classes. A test that is about the start itself uses `cold`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import psutil

from grader.judging import fork_server_client
from grader.judging.shortcuts import without
from grader.scratch import Scratch

ADDRESS = "GRADER_TESTS_WARM"  # in the environment: processes that tests start find it there, too
ROOT = Path(__file__).parents[2]
OWN = Path(fork_server_client.__file__).parents[2]  # a test may run a copy of the grader, which it has changed
LONGEST_ORDER = 1 << 17
STATUS = struct.Struct("i")


class Warm:
    """A fork server that was forked: what its parent needs of `subprocess.Popen`."""

    def __init__(self, order: dict[str, Any], descriptors: list[int]) -> None:
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.connect(os.environ[ADDRESS].rpartition(os.pathsep)[2])
        socket.send_fds(self._connection, [json.dumps(order).encode()], descriptors)
        self.pid: int = STATUS.unpack(self._connection.recv(STATUS.size))[0]
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
            self._status = STATUS.unpack(self._connection.recv(STATUS.size))[0]
            self._connection.close()
        return self._status


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


def run(command: Sequence[str], **given: Any) -> subprocess.CompletedProcess[str]:
    """Do what `subprocess.run(…, capture_output=True, text=True)` does, with a fork."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        status = popen(command, stdout=stdout, stderr=stderr, **given).wait()
        said = []
        for file in (stdout, stderr):
            file.seek(0)
            said.append(file.read().decode())
        return subprocess.CompletedProcess(command, status, *said)


_cold = fork_server_client.launch


def use() -> None:
    """Have this process fork its fork servers from now on, where there is a process of the same grader to fork them."""
    if os.environ.get(ADDRESS, "").rpartition(os.pathsep)[0] == str(OWN):
        fork_server_client.launch = launch


@contextlib.contextmanager
def started() -> Iterator[None]:
    """Have such a process as long as the block runs."""
    with (
        tempfile.TemporaryDirectory(prefix="warm-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as own,
    ):
        own.bind(f"{folder}/orders")
        own.listen(16)
        command = [sys.executable, "-P", "-m", "tests.support.warm", str(own.fileno())]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            command, env=environment, pass_fds=[own.fileno()], stdin=subprocess.PIPE, start_new_session=True
        )
        os.environ[ADDRESS] = f"{OWN}{os.pathsep}{folder}/orders"
        use()
        try:
            yield
        finally:
            fork_server_client.launch = _cold
            del os.environ[ADDRESS]
            process.communicate()  # the end of its input ends it


@contextlib.contextmanager
def cold() -> Iterator[None]:
    """Start fork servers as the kit does, as long as the block runs, in processes that it starts, too."""
    address = os.environ.pop(ADDRESS, None)
    kept, fork_server_client.launch = fork_server_client.launch, _cold
    try:
        yield
    finally:
        fork_server_client.launch = kept
        if address is not None:
            os.environ[ADDRESS] = address


class Forker:
    """The program of the process that forks them, and holds zygotes for them."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._running: dict[int, socket.socket] = {}
        self._zygotes: dict[tuple[str, ...], Any] = {}

    def serve(self) -> None:
        """Fork for each order until the input ends; tell each client how its process ended."""
        ends, theirs = os.pipe()
        os.set_blocking(theirs, False)
        signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready, _, _ = select.select([0, ends, self._orders], [], [])
            if 0 in ready:
                return
            if ends in ready:
                os.read(ends, 1 << 12)
                self._reap()
            if self._orders in ready:
                connection, _ = self._orders.accept()
                self._order(connection)

    def _order(self, connection: socket.socket) -> None:
        packed, descriptors, _, _ = socket.recv_fds(connection, LONGEST_ORDER, 8)
        if not packed:
            connection.close()
            return
        _warm_up()  # now, as many a run of few tests gives no order
        order = json.loads(packed)
        if "module" in order:
            for name in order["imports"]:
                importlib.import_module(name)
            become: tuple[Any, ...] = (_become_module, order, descriptors)
        else:
            _, _, sandbox, left_out, *_ = order["arguments"]
            become = (_become, order, descriptors, self._zygote(sandbox, left_out))
        pid = os.fork()
        with contextlib.suppress(ProcessLookupError):  # where the fork has ended already
            os.setpgid(pid, pid)  # by whoever is first: an order's client asks for the group at once
        if pid == 0:
            _run(*become)
        for fd in descriptors:
            os.close(fd)
        self._running[pid] = connection
        connection.send(STATUS.pack(pid))

    def _reap(self) -> None:
        """Collect the forks that have ended; others are zygotes', which `subprocess` collects."""
        for pid, connection in list(self._running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._running[pid]
                with contextlib.suppress(OSError), connection:  # its client may have ended before it
                    connection.send(STATUS.pack(os.waitstatus_to_exitcode(status)))

    def _zygote(self, packed: str, left_out: str) -> Any:
        """Return a zygote that is ready, or None where each judge needs its own."""
        from dataclasses import replace

        from grader.sandbox import devices
        from grader.sandbox.zygote import Zygote

        inside = without(left_out.split(",") if left_out else ()).inside
        if json.loads(packed) != ["bwrap"]:
            return None
        key = (packed, *inside)
        if key in self._zygotes and not _alive(self._zygotes[key].pid):
            del self._zygotes[key]
        if key not in self._zygotes:
            self._zygotes[key] = Zygote(replace(devices.unpacked(packed), without=inside))
        self._zygotes[key].wait()
        return self._zygotes[key]

    def close(self) -> None:
        for pid in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for zygote in self._zygotes.values():
            zygote.close()


def _alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def _run(body: Any, *arguments: Any) -> None:
    """Run `body` as a process's whole program would run."""
    status = 1
    try:
        status = int(body(*arguments) or 0)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _become(order: dict[str, Any], descriptors: list[int], zygote: Any) -> int:
    """Become the fork server that the order describes."""
    from grader.judging import fork_server

    *given, log = descriptors
    _begin(order, os.open(os.devnull, os.O_RDONLY), log, log)
    numbers = dict(zip(order["descriptors"], given, strict=True))
    arguments = list(order["arguments"])
    arguments[0] = str(numbers[int(arguments[0])])
    sys.path[:0] = [entry for entry in os.environ["PYTHONPATH"].split(os.pathsep) if entry not in sys.path]
    if zygote is not None:
        zygote.lend()
        fork_server.Zygote = lambda sandbox: zygote  # type: ignore[misc, assignment]
    gc.unfreeze()
    return fork_server.main(arguments)


def _become_module(order: dict[str, Any], descriptors: list[int]) -> None:
    """Become what `python -P -m MODULE` is."""
    stdin, stdout, stderr = descriptors
    _begin(order, stdin, stdout, stderr)
    gc.unfreeze()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [order["module"], *order["arguments"]]
    sys.path[:0] = order["path"]
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


def _begin(order: dict[str, Any], *streams: int) -> None:
    """Have what a process starts with: its streams, environment and folder."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for at, fd in enumerate(streams):
        os.dup2(fd, at)
    for fd in {*streams} - {0, 1, 2}:
        os.close(fd)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    tempfile.tempdir = None


@functools.cache
def _warm_up() -> None:
    for name in ("grader.judging.judge", "hypothesis.strategies", "torch._dynamo", "torchvision"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def main(orders: int) -> int:
    forker = Forker(socket.socket(fileno=orders))
    try:
        forker.serve()
    finally:
        forker.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
