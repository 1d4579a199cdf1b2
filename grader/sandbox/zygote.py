"""Starts the warm process in the sandbox, waits until it is ready, and has it fork a keeper for a submission.

The keeper introduces itself on the submission's own connection, so several judges can share one zygote: none needs an
answer from it, and none sees another's. Where control groups can be had, each submission gets one of its own.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Collection
from typing import IO

from grader.errors import Killed, SandboxError
from grader.sandbox.cgroups import home as cgroup_home
from grader.sandbox.cgroups.group import Group, NoCgroup, Run
from grader.sandbox.cgroups.home import Way
from grader.sandbox.choice import Sandbox
from grader.sandbox.processes import kill_tree, was_killed

START_SECONDS = 120.0
FORK_SECONDS = 20.0


class Zygote:
    """A process that has been started, and begins to import torch; what it says goes to `log`, or where ours does."""

    def __init__(self, sandbox: Sandbox, log: IO[bytes] | None = None) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ready = self._shared = False
        command = sandbox.command(theirs.fileno())
        self._way = _way() if sandbox.confined else None
        self._run: Run | None = None
        prefix, environment = (self._way.prefix, self._way.environment) if self._way else ((), {})
        with theirs:
            arguments = [*prefix, *command.arguments]
            process = launch(arguments, {**command.environment, **environment}, theirs.fileno(), log)
        self.pid = process.pid
        self._process: subprocess.Popen[bytes] | None = process

    def wait(self) -> None:
        """Wait until it can fork. `SandboxError` where it cannot; `Killed` where somebody killed it."""
        if self._ready:
            return
        assert self._process is not None
        self._control.settimeout(START_SECONDS)
        killed = False
        try:
            self._ready = self._control.recv(16) == b"ready"
            status = 0 if self._ready else self._process.wait()
            ended, killed = f"ended with status {status}", was_killed(status)
        except TimeoutError:
            ended = f"was not ready after {START_SECONDS:g} s"
        if not self._ready:
            self.close()
            error = Killed if killed else SandboxError
            raise error(f"the worker {ended} while it started; see: python -m grader doctor")
        self._settle()

    def _settle(self) -> None:
        """Prepare control groups, now that all its processes have started, and none of a submission."""
        with contextlib.suppress(NoCgroup):
            self._run = self._way.settle(self.pid) if self._way else None

    def group(self, keeper: int, memory: int) -> Group | None:
        """Put a keeper into a control group, whose processes may take this much memory each; None without groups."""
        return self._run.group(keeper, memory) if self._run else None

    def fork(self, connection: int, cores: Collection[int]) -> None:
        """Have it fork a keeper that serves the connection, on these cores if any. OSError where it has ended."""
        self._control.settimeout(FORK_SECONDS)
        socket.send_fds(self._control, [",".join(map(str, cores)).encode() or b"any"], [connection])

    def lend(self) -> None:
        """Note, in a fork of the process that started it, that others use it, too, so this process must not end it."""
        self._process, self._shared = None, True

    def inherit(self) -> None:
        """Take it over, in a fork of the process that started it: this process alone has it from now on."""
        self._process = None

    def leave(self) -> None:
        """Give it up, in the process that started it: a fork has it now."""
        self._control.close()

    def close(self) -> None:
        """Kill it and everything below it, unless others use it."""
        if not self._shared:
            kill_tree(self.pid, root_too=True)
        if self._process is not None:
            self._process.wait()
        if self._run and not self._shared:
            self._run.close()
        self._control.close()


def launch(
    arguments: list[str], environment: dict[str, str], descriptor: int, log: IO[bytes] | None
) -> subprocess.Popen[bytes]:
    """Start the worker with this descriptor and this log. The kit's own tests fork one that nothing confines."""
    return subprocess.Popen(
        arguments,
        env=environment,
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _way() -> Way | None:
    try:
        return cgroup_home.find()
    except NoCgroup:
        return None
