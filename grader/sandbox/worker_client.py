"""Drives the worker from the judge: starts it, puts a submission into it, runs probes in it, and ends it.

The classes mirror the processes of `grader.inside.worker`: a `Worker` (with its zygote) has a `Keeper` for each
submission, which forks a `CheckProcess` for each check. Their answers are evidence; what happens to them is an outcome.
"""

from __future__ import annotations

import contextlib
import io
import os
import selectors
import shutil
import signal
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from grader.errors import SandboxError
from grader.inside import codec, says, wire
from grader.sandbox.cgroups.group import Group
from grader.sandbox.choice import Sandbox
from grader.sandbox.gpus import HOST_MEMORY
from grader.sandbox.processes import MemoryWatch, Usage, kill_tree, usage
from grader.sandbox.protocol import Reply, Request
from grader.sandbox.zygote import Zygote

REPLY_SECONDS = 20.0
WATCH_SECONDS = 0.2
OUTPUT_KEPT = 16 * 1024
_LEAST_ROOM = 1 << 20  # bytes on a disk, below which it counts as full
More = Callable[[], float]
_CREDENTIALS = struct.Struct("3i")  # of unix(7): process, user, group


def no_more() -> float:
    """Put no deadline off."""
    return 0.0


class Worker:
    """Forks a keeper for each submission. Its zygote is started at the first one, and replaced where it dies.

    `cores` are those that a submission may use, so that one that hogs the processor slows down no other. `zygote` is
    one that was started already, perhaps for several workers.
    """

    def __init__(self, sandbox: Sandbox, cores: Collection[int] = (), zygote: Zygote | None = None) -> None:
        self.sandbox = sandbox
        self._cores = cores
        self._zygote = zygote

    def keeper(self, package: str, files: Mapping[str, bytes], memory: int, gpu_memory: int = 0) -> Keeper:
        """Fork a keeper of the submission's files; it may use `gpu_memory` bytes of a GPU, if the sandbox has one."""
        if self.sandbox.gpus:
            memory += HOST_MEMORY
        for _ in range(2):
            zygote = self.start()
            zygote.wait()
            try:
                return Keeper(self, self._forked(zygote), package, files, memory, gpu_memory * bool(self.sandbox.gpus))
            except (OSError, KeeperDied):
                self.close()  # without a sandbox a submission may have killed it; the next one gets another
        raise SandboxError(f"the worker process died twice while starting a submission{self._no_room(files)}")

    def _no_room(self, files: Mapping[str, bytes]) -> str:
        """Name the disk without a sandbox, where it has no room for a submission's files."""
        folder = tempfile.gettempdir()
        if self.sandbox.confined or shutil.disk_usage(folder).free > sum(map(len, files.values())) + _LEAST_ROOM:
            return ""
        return (
            f": the disk is full where temporary files lie ({folder}); make room, or set TMPDIR to a folder with room"
        )

    def _forked(self, zygote: Zygote) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            zygote.fork(theirs.fileno(), self._cores)
        return ours

    def start(self) -> Zygote:
        """Start the zygote, which imports torch, without waiting for it."""
        if self._zygote is None:
            self._zygote = Zygote(self.sandbox)
        return self._zygote

    def sweep(self) -> None:
        """Kill every process that a submission left behind, where there is no sandbox."""
        if self._zygote is not None and not self.sandbox.confined:
            kill_tree(self._zygote.pid, root_too=False)

    def close(self) -> None:
        """Kill the worker and everything below it."""
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None


class Keeper:
    """One submission in the worker. Its methods raise `KeeperDied` where the process has ended.

    `memory` (bytes) limits each of the submission's processes, and all of them together. With any `gpu_memory` probes
    find a GPU as `student.device`.
    """

    def __init__(
        self,
        worker: Worker,
        connection: socket.socket,
        package: str,
        files: Mapping[str, bytes],
        memory: int,
        gpu_memory: int = 0,
    ) -> None:
        self._worker = worker
        self._connection = connection
        self._folder = None if worker.sandbox.confined else tempfile.TemporaryDirectory(prefix="grader-")
        root = os.path.join(self._folder.name, "work") if self._folder else "/tmp/work"
        self._ending = False
        limits = {"memory": memory, "gpu_memory": gpu_memory}
        # As arrays, since these may be as long as a whole message, and words may not.
        arrays = {name: np.frombuffer(content, np.uint8) for name, content in files.items()}
        job = codec.encode({"root": root, "package": package, "files": arrays, **limits})
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._send(b"O" + wire.LENGTH.pack(len(job)) + job)
        self._pid = self._who_answers()
        self._receive()
        self._group = worker.start().group(self._pid, memory)  # before any of its code can run
        self._watch = self._group or MemoryWatch(self._pid, memory, sockets=worker.sandbox.confined)

    def _who_answers(self) -> int:
        """Return the keeper's process id outside its namespaces, which the kernel attaches to what it sends."""
        try:
            _, attached, _, _ = self._connection.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size), socket.MSG_PEEK)
        except OSError as error:
            raise KeeperDied from error
        for level, kind, data in attached:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                pid: int = _CREDENTIALS.unpack(data)[0]
                if pid > 0:
                    return pid
        raise KeeperDied

    def check(self) -> CheckProcess:
        """Fork a process for one check; the one before must have been told to end."""
        self.wait()
        ours, theirs = socket.socketpair()
        output = _Output()
        with theirs, output.writer:
            self._connection.settimeout(REPLY_SECONDS)
            try:
                socket.send_fds(self._connection, [b"C"], [theirs.fileno(), output.writer.fileno()])
                wire.receive(self._connection)
            except OSError as error:
                ours.close()
                raise KeeperDied from error
        return CheckProcess(self, ours, output, self._watch)

    def end_check(self) -> None:
        """Have the check killed, with its children, without waiting: the judge can do other things meanwhile."""
        self._send(b"E")
        self._ending = True

    def usage(self) -> Usage:
        """Return what the check and all that it started have used so far."""
        return usage(self._pid)

    def wait(self) -> int | None:
        """Wait for the check that was told to end; return its exit status, or minus a signal, or None if unknown."""
        if not self._ending:
            return None
        self._ending = False
        status = self._receive()
        return status if type(status) is int else None

    def close(self) -> None:
        """End the submission's processes, and remove all that they wrote."""
        if not self._gone():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        self._connection.close()
        self._worker.sweep()
        if self._group:
            self._group.close()
        if self._folder:
            self._folder.cleanup()

    def _gone(self) -> bool:
        """Ask the process to end, and wait until it has: its end of the connection closes last."""
        self._connection.settimeout(REPLY_SECONDS)
        try:
            self._connection.shutdown(socket.SHUT_WR)
            while self._connection.recv(64):  # how the last check ended
                pass
            return True
        except ConnectionError:
            return True
        except OSError:
            return False

    def _send(self, command: bytes) -> None:
        self._connection.settimeout(REPLY_SECONDS)
        try:
            self._connection.sendall(command)
        except OSError as error:
            raise KeeperDied from error

    def _receive(self) -> Any:
        try:
            return codec.decode(wire.receive(self._connection))
        except (OSError, codec.CodecError) as error:
            raise KeeperDied from error


class KeeperDied(Exception):
    """The process that held the submission has ended, or sends malformed messages."""


class TooMuchMemory(Exception):
    """A check's processes together took more than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(says(f"killed: memory limit {limit / 2**30:g} GiB"))


class CheckProcess:
    """A process for checks: `run` returns the reply to one run of a probe, `ask` the reply to any other request."""

    def __init__(self, keeper: Keeper, connection: socket.socket, output: _Output, watch: MemoryWatch | Group) -> None:
        self._keeper = keeper
        self._connection = connection
        self._output = output
        self._watch = watch
        self._look = time.monotonic() + WATCH_SECONDS  # over all messages: quick answers are watched as slow ones are
        self._probes: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)
        self._selector.register(output.reader, selectors.EVENT_READ)

    def run(self, request: Request, seconds: float, more: More = no_more) -> Reply:
        """Return the raw reply. Raises TimeoutError at the deadline, OSError if the process ended, `TooMuchMemory`.

        `more` is asked at the deadline, and may put it off by some seconds.
        """
        if request.module not in self._probes:
            self._probes.add(request.module)
            self._connection.settimeout(REPLY_SECONDS)
            wire.send(self._connection, codec.encode({"module": request.module, "code": request.code}))
        return self._answer(request.call, seconds, more)

    def ask(self, request: Mapping[str, Any], seconds: float, more: More = no_more) -> Reply:
        """Send a request that is no run of a probe, else as `run`."""
        return self._answer(codec.encode(dict(request)), seconds, more)

    def usage(self) -> Usage:
        """Return what the process and all that it started have used so far."""
        return self._keeper.usage()

    def _answer(self, message: bytes, seconds: float, more: More) -> Reply:
        if seconds <= 0:
            raise TimeoutError
        try:
            self._connection.settimeout(seconds)
            self._output.forget()
            wire.send(self._connection, message)
            return self._receive(seconds, more)
        except ConnectionError:
            if self._watch.exceeded():  # the kernel was faster than the watch
                raise TooMuchMemory(self._watch.limit) from None
            raise

    def _receive(self, seconds: float, more: More) -> memoryview:
        """Receive one message by the deadline, which `more` may put off, while draining output and watching memory."""
        now = time.monotonic()
        end = now + seconds
        data = bytearray()
        while True:
            now = time.monotonic()
            if now >= end:
                given = more()
                if given <= 0:
                    raise TimeoutError
                end = now + given
            if now >= self._look:
                self._look = now + WATCH_SECONDS
                if self._watch.exceeded():
                    raise TooMuchMemory(self._watch.limit)
            for key, _ in self._selector.select(min(end, self._look) - now):
                if key.fileobj is self._output.reader:
                    if not self._output.drain():
                        self._selector.unregister(self._output.reader)
                elif _read_some(self._connection, data):
                    return memoryview(data)[wire.LENGTH.size :]

    def end(self) -> None:
        """Kill the process and what it started, without waiting for it."""
        self._selector.close()
        self._connection.close()
        self._output.close()
        self._keeper.end_check()

    @property
    def printed(self) -> bytes:
        """The first part of what it has written to stdout and stderr since the latest request."""
        return self._output.head

    def status(self) -> int | None:
        """End it, and wait; return its exit status, by itself or now, or minus a signal, or None if unknown."""
        self.end()
        return self._keeper.wait()


class _Output:
    """A pipe for stdout and stderr: its head is kept, the rest is read and thrown away."""

    def __init__(self) -> None:
        read, write = os.pipe()
        os.set_blocking(read, False)
        self.reader = io.FileIO(read, "rb")
        self.writer = io.FileIO(write, "wb")
        self.head = b""

    def drain(self) -> bool:
        """Read what is there; False once no writer is left."""
        for _ in range(64):  # bounded, so that a flood of output cannot hold up the deadline
            part = self.reader.read(1 << 16)
            if part is None:
                return True
            if not part:
                return False
            self.head += part[: OUTPUT_KEPT - len(self.head)]
        return True

    def forget(self) -> None:
        """Drop what was written before: it belongs to an earlier request."""
        self.drain()
        self.head = b""

    def close(self) -> None:
        """Read what is left, and close the pipe."""
        if not self.reader.closed:
            self.drain()
            self.reader.close()


def _read_some(connection: socket.socket, data: bytearray) -> bool:
    """Read once; tell whether the message is complete. Never asks for more than the message's own length."""
    missing = wire.LENGTH.size - len(data)
    if missing <= 0:
        (length,) = wire.LENGTH.unpack_from(data)
        if length > wire.LONGEST:
            raise wire.TooLong(f"a message of {length} bytes")
        missing = wire.LENGTH.size + length - len(data)
    if missing > 0:
        part = connection.recv(min(missing, 1 << 20))
        if not part:
            raise wire.Closed("the connection was closed")
        data += part
    if len(data) < wire.LENGTH.size:
        return False
    (length,) = wire.LENGTH.unpack_from(data)
    return bool(len(data) == wire.LENGTH.size + length)
