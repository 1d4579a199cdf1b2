"""Fork servers that are forked from a process which has imported torch and pytest, and that share zygotes.

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
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
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
        _, _, sandbox, left_out, *_ = order["arguments"]
        zygote = self._zygote(sandbox, left_out)
        pid = os.fork()
        if pid == 0:
            _run(_become, order, descriptors, zygote)
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

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    *given, log = descriptors
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, at in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(fd, at)
    os.close(log)
    numbers = dict(zip(order["descriptors"], given, strict=True))
    arguments = list(order["arguments"])
    arguments[0] = str(numbers[int(arguments[0])])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.path[:0] = [entry for entry in os.environ["PYTHONPATH"].split(os.pathsep) if entry not in sys.path]
    os.chdir(order["folder"])
    tempfile.tempdir = None
    if zygote is not None:
        zygote.lend()
        fork_server.Zygote = lambda sandbox: zygote  # type: ignore[misc, assignment]
    gc.unfreeze()
    return fork_server.main(arguments)


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
