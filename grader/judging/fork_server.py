"""Forks judges: `python -m grader.judging.fork_server CONTROL ROOT SANDBOX WITHOUT WEEK…`.

It is a program of its own, so that torch is imported and the checks are collected once, a crash costs one submission,
and the parent (`fork_server_client.ForkServer`) stays light. It forks a judge for each order on its control socket.
What is slow to import is imported later, once the worker in the sandbox is started: it imports the same at that time.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.errors import SandboxError, to_dict
from grader.inside import confine
from grader.judging.fork_server_client import PID
from grader.judging.shortcuts import Shortcuts, without
from grader.sandbox import Sandbox, devices
from grader.sandbox.processes import kill_tree
from grader.sandbox.zygote import Zygote
from grader.scratch import tidy

if TYPE_CHECKING:
    from grader.sandbox.worker_client import Worker

LONGEST_ORDER = 1 << 16


def main(arguments: list[str]) -> int:
    """Fork judges for some weeks of a course, on orders from the socket whose descriptor is given."""
    control, root, packed, left_out, *weeks = arguments
    shortcuts = without(left_out.split(",") if left_out else ())
    sandbox = replace(devices.unpacked(packed), without=shortcuts.inside)
    fork_server = ForkServerProcess(socket.socket(fileno=int(control)), sandbox)
    _end_with_parent()
    gc.disable()  # until all is imported: the collector would look for garbage again and again, and there is none
    try:
        fork_server.start()
        from grader.judging import judge  # noqa: PLC0415 - it imports torch, while the worker does so, too

        if not sandbox.confined:
            _compile_the_course_anew(shortcuts)
        return judge.collect(Path(root), weeks, fork_server.serve, shortcuts)
    finally:
        fork_server.close()


def _end_with_parent() -> None:
    """Have this process end in order when its parent is killed, also in the middle of what takes long to import."""
    parent = os.getppid()

    def end(*_: object) -> None:
        if os.getppid() != parent:  # else a thread of the parent has ended, or the parent ends this process in order
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            sys.exit(1)

    signal.signal(signal.SIGTERM, end)
    confine.die_with_parent(signal.SIGTERM)


def _compile_the_course_anew(shortcuts: Shortcuts) -> None:
    """Take no compiled file beside a check for its source: without a sandbox a submission may have put it there."""
    if shortcuts.imports:
        importlib.import_module("torch._dynamo")  # as `collect` does, which would compile it anew, too
    sys.pycache_prefix = tempfile.mkdtemp(prefix="compiled-")  # it goes with the folder of temporary files


class ForkServerProcess:
    """Forks judges, until the parent is gone.

    All judges share one sandbox where it confines submissions, as these cannot see each other. Without one the first
    judge gets the worker that was started early, and the others start their own.
    """

    def __init__(self, control: socket.socket, sandbox: Sandbox) -> None:
        self._control = control
        self._sandbox = sandbox
        self._zygote: Zygote | None = None
        self._pid = os.getpid()

    def start(self) -> None:
        """Start a worker, which imports what it needs while this process does the same."""
        if not self._sandbox.gpus:  # else each judge has another card, and so a sandbox of its own
            self._zygote = Zygote(self._sandbox)

    def serve(self, judge: Callable[[socket.socket, Worker], None]) -> None:
        """Report that judges can be forked, or why not; fork one for each order, and call `judge` once in each fork.

        `judge` gets the connection that jobs come on, and the worker where submissions run.
        """
        gc.freeze()  # forks share memory that none of them writes to; to look for garbage costs more than it takes up
        gc.enable()
        try:
            if self._zygote is not None:
                self._zygote.wait()
        except SandboxError as error:
            self._zygote = None
            self._control.send(json.dumps(to_dict(error)).encode())
            return
        self._control.send(b"ready")
        while True:
            order, fds, _, _ = socket.recv_fds(self._control, LONGEST_ORDER, 2)
            if not order:
                return
            pid = os.fork()
            if pid == 0:
                self._be_judge(judge, json.loads(order), *fds)
                return
            self._hand_over(pid, fds)

    def _hand_over(self, pid: int, fds: list[int]) -> None:
        end = os.pidfd_open(pid)
        socket.send_fds(self._control, [PID.pack(pid)], [end])
        for fd in (*fds, end):
            os.close(fd)
        if self._zygote is not None and not self._sandbox.confined:
            self._zygote.leave()
            self._zygote = None

    def _be_judge(
        self, judge: Callable[[socket.socket, Worker], None], order: dict[str, Any], connection: int, log: int
    ) -> None:
        from grader.sandbox.worker_client import Worker  # noqa: PLC0415 - it imports torch

        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        confine.die_with_parent()
        if os.getppid() != self._pid:  # it died before that
            os._exit(1)
        self._control.close()
        for fd in (1, 2):
            os.dup2(log, fd)
        os.close(log)
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.lend() if self._sandbox.confined else zygote.inherit()
        worker = Worker(devices.with_cards(self._sandbox, order["sandbox"]), order["cores"], zygote)
        try:
            judge(socket.socket(fileno=connection), worker)
        finally:
            worker.close()

    def close(self) -> None:
        """End what this process has started; a fork has started none of it."""
        if os.getpid() != self._pid:
            return
        kill_tree(self._pid, root_too=False)
        if self._zygote is not None:
            self._zygote.close()
        tidy()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
