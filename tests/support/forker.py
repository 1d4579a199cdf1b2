"""Forks fork servers, and other programs, on order: it has imported torch and pytest, so they need not.

The suite starts some 60 fork servers, and each with its zygote costs more than most tests do. They run the very
program, `grader.judging.fork_server`, with an environment, folder and descriptors of their own; what they skip is
Python's start. A zygote of a real sandbox serves many judges in a class as well, so here it serves many classes.
`warm` sends the orders.
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
import sys
import tempfile
import traceback
from typing import Any

import psutil

from grader.judging.shortcuts import without
from tests.support import warm

LONGEST_ORDER = 1 << 17
STATUS = struct.Struct("i")


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
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        """Carry out an order. One that fails, or whose client has ended meanwhile, must not end all that come later."""
        descriptors: list[int] = []
        pid = 0
        try:
            packed, descriptors, _, _ = socket.recv_fds(connection, LONGEST_ORDER, 8)
            if packed:
                pid = self._fork(json.loads(packed), descriptors)
                self._running[pid] = connection
                connection.send(STATUS.pack(pid))
                return
        except OSError as error:  # a client that was killed
            print(f"an order was not answered: {error}", file=sys.stderr)
            if pid:
                os.kill(pid, signal.SIGKILL)
                return  # its connection is closed when it has ended
        except Exception:
            with contextlib.suppress(OSError):
                connection.send(STATUS.pack(0) + traceback.format_exc().encode()[-LONGEST_ORDER:])
        finally:
            for fd in descriptors:
                os.close(fd)
        connection.close()

    def _fork(self, order: dict[str, Any], descriptors: list[int]) -> int:
        _warm_up()  # now, as many a run of few tests gives no order
        if "module" in order:
            for name in order["imports"]:
                importlib.import_module(name)
            become: tuple[Any, ...] = (_become_module, order, descriptors)
        elif "script" in order:
            become = (_become_worker, order, descriptors)
        else:
            _, _, sandbox, left_out, *_ = order["arguments"]
            become = (_become, order, descriptors, self._zygote(sandbox, left_out))
        pid = os.fork()
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended, or has a session of its own
            os.setpgid(pid, pid)  # by whoever is first: an order's client asks for the group at once
        if pid == 0:
            for ours in (self._orders, *self._running.values()):
                ours.close()  # so that they end with this process, whatever its forks do
            _run(*become)
        return pid

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
    warm.use()
    return fork_server.main(arguments)


def _become_worker(order: dict[str, Any], descriptors: list[int]) -> None:
    """Become `python -P worker.py`: nothing of what this process has for itself is there to be imported."""
    control, log = descriptors
    own = os.environ["PYTHONPATH"].split(os.pathsep)
    _begin(order, os.open(os.devnull, os.O_RDONLY), log, log)
    sys.path[:] = [entry for entry in sys.path if entry not in own]
    for name in [name for name in sys.modules if name.partition(".")[0] in ("grader", "tests")]:
        del sys.modules[name]
    sys.argv = [order["script"], str(control), *order["arguments"]]
    runpy.run_path(order["script"], run_name="__main__")


def _become_module(order: dict[str, Any], descriptors: list[int]) -> None:
    """Become what `python -P -m MODULE` is."""
    stdin, stdout, stderr = descriptors
    _begin(order, stdin, stdout, stderr)
    if not order.get("frozen"):  # what reads allocates much, and would have all of torch looked through for garbage
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
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
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
