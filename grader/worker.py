"""The judge's end of the worker: start it, put a submission into it, run probes in it, and end it all.

The classes mirror the processes of `grader.inside.worker`: a `Worker` (the zygote) hosts one `Host` a submission,
which forks one `CheckProcess` a check. Whatever they answer is evidence; whatever happens to them is an outcome.
"""

from __future__ import annotations

import contextlib
import io
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from grader.errors import SandboxError
from grader.inside import codec, wire
from grader.results import Outcome
from grader.student import ProbeEnded

PROGRAM = Path(__file__).with_name("inside") / "worker.py"
START_SECONDS = 120.0
REPLY_SECONDS = 20.0
CACHES = ("MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR")
OUTPUT_KEPT = 16 * 1024


class Worker:
    """A warm process, without a sandbox around it, that forks for each submission."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def host(self, package: str, files: Mapping[str, bytes], memory: int, ended: Mapping[str, Any]) -> Host:
        """A fork that holds the submission's files, its limits set and nothing imported yet."""
        ours, theirs = socket.socketpair()
        output = _Output()
        with theirs, output.writer:
            self._fork([theirs.fileno(), output.writer.fileno()])
        return Host(ours, output, package, files, memory, ended)

    def _fork(self, fds: list[int]) -> None:
        for attempt in (1, 2):
            control = self._started()
            try:
                socket.send_fds(control, [b"job"], fds)
                if len(control.recv(4)) == 4:
                    return
            except OSError:
                pass
            self.close()  # a submission may have killed the zygote; the next one gets another
            if attempt == 2:
                raise SandboxError("the worker process died twice while starting a submission")

    def _started(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._process = _start(theirs)
            self._control.settimeout(START_SECONDS)
            if self._control.recv(16) != b"ready":
                status = self._process.wait()
                self.close()
                raise SandboxError(f"the worker could not start (exit status {status}); try: python {PROGRAM} 0")
        return self._control

    def sweep(self) -> None:
        """Kill every process that a submission left behind."""
        if self._process is not None:
            kill_tree(self._process.pid, root_too=False)

    def close(self) -> None:
        """Kill the worker and everything below it."""
        if self._process is not None:
            kill_tree(self._process.pid, root_too=True)
            self._process.wait()
        if self._control is not None:
            self._control.close()
        self._process = self._control = None


def _start(theirs: socket.socket) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
        **{name: os.environ[name] for name in CACHES if name in os.environ},
    }
    return subprocess.Popen(
        [sys.executable, "-P", str(PROGRAM), str(theirs.fileno())],
        env=environment,
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_tree(pid: int, root_too: bool) -> None:
    """SIGKILL every descendant of `pid`, until none is left, and then `pid` itself if wanted."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        if root_too:
            root.suspend()
        while children := [c for c in root.children(recursive=True) if c.status() != psutil.STATUS_ZOMBIE]:
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            psutil.wait_procs(children, timeout=1)
        if root_too:
            root.kill()


class Host:
    """One submission in the worker. Its methods raise `HostDied` where the process is no more."""

    def __init__(
        self,
        connection: socket.socket,
        output: _Output,
        package: str,
        files: Mapping[str, bytes],
        memory: int,
        ended: Mapping[str, Any],
    ) -> None:
        self._connection = connection
        self._output = output
        self._folder = tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name) / package
        folder.mkdir()
        job = {
            "folder": str(folder),
            "package": package,
            "files": dict(files),
            "memory": memory,
            "ended": dict(ended),
        }
        self._ask(b"O", job, REPLY_SECONDS)

    def load(self, module: str, seconds: float) -> None:
        """Import one of the submission's modules; raises `ProbeEnded` on a timeout or where the process died."""
        try:
            self._ask(b"I", module, seconds)
        except TimeoutError:
            raise ProbeEnded(Outcome.TIMEOUT, f"importing {module}.py did not end within {seconds:g} s") from None
        except HostDied:
            raise ProbeEnded(Outcome.KILLED, f"importing {module}.py ended the process") from None

    def check(self) -> CheckProcess:
        """A fork for one check."""
        ours, theirs = socket.socketpair()
        output = _Output()
        with theirs, output.writer:
            self._connection.settimeout(REPLY_SECONDS)
            try:
                socket.send_fds(self._connection, [b"C"], [theirs.fileno(), output.writer.fileno()])
                pid = codec.decode(self._receive(REPLY_SECONDS))
            except (OSError, codec.CodecError) as error:
                ours.close()
                raise HostDied from error
        return CheckProcess(self, ours, output, pid if type(pid) is int else 0)

    def end_check(self, pid: int) -> int | None:
        """Kill a check and its children; how it ended (exit status, or minus a signal), None if that is unknown."""
        status = self._ask(b"E", pid, REPLY_SECONDS)
        return status if type(status) is int else None

    def _ask(self, command: bytes, value: Any, seconds: float) -> Any:
        self._connection.settimeout(seconds)
        try:
            self._connection.sendall(command)
            wire.send(self._connection, codec.encode(value))
            return codec.decode(self._receive(seconds))
        except TimeoutError:
            raise
        except (OSError, codec.CodecError) as error:
            raise HostDied from error

    def _receive(self, seconds: float) -> bytes:
        """The host's reply, while its output is drained (a module may print a gigabyte while it is imported)."""
        return _receive(self._connection, self._output, seconds)

    def close(self) -> None:
        """Forget the submission; whoever owns the worker sweeps up its processes."""
        self._connection.close()
        self._output.close()
        self._folder.cleanup()


class HostDied(Exception):
    """The process that held the submission is gone or talks nonsense."""


class CheckProcess:
    """One check's process: `ask` gives the reply to one probe request."""

    def __init__(self, host: Host, connection: socket.socket, output: _Output, pid: int) -> None:
        self._host = host
        self._connection = connection
        self._output = output
        self._pid = pid

    def ask(self, request: Mapping[str, Any], seconds: float) -> bytes:
        """The raw reply. Raises TimeoutError at the deadline, OSError where the process ended."""
        self._connection.settimeout(seconds)
        wire.send(self._connection, codec.encode(dict(request), "the probe's arguments"))
        return _receive(self._connection, self._output, seconds)

    def end(self) -> int | None:
        """Kill the process and what it started; how it ended, by itself or now, or None if that is unknown."""
        self._connection.close()
        self._output.close()
        return self._host.end_check(self._pid) if self._pid > 0 else None


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

    def close(self) -> None:
        self.reader.close()


def _receive(connection: socket.socket, output: _Output, seconds: float) -> bytes:
    """One message by the deadline, while output is drained. Raises TimeoutError, or OSError at the end."""
    end = time.monotonic() + seconds
    data = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        selector.register(output.reader, selectors.EVENT_READ)
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for key, _ in selector.select(left):
                if key.fileobj is output.reader:
                    if not output.drain():
                        selector.unregister(output.reader)
                elif _read_some(connection, data):
                    return bytes(data[wire.LENGTH.size :])


def _read_some(connection: socket.socket, data: bytearray) -> bool:
    """Read once; whether the message is complete. Never asks for more than the message's own length."""
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
    return len(data) == wire.LENGTH.size + length


def signal_name(status: int) -> str:
    """What an exit status says: `killed by SIGSEGV`, `exited with status 3`."""
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-status).name}"
        return f"killed by signal {-status}"
    return f"exited inside the check (status {status})"
