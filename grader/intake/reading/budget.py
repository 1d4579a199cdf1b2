"""Asks a process that has a budget for each request, and can be killed: what it reads may be made to take for ever.

A file of a few kilobytes can keep a parser busy for minutes, take gigabytes, or crash it. So nothing of a student's is
parsed in this process. One process serves many requests, since it takes a while to start; past its budget it ends, and
the next request has a new one.
"""

from __future__ import annotations

import atexit
import contextlib
import hmac
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgpack

from grader import scratch
from grader.errors import DownloadTooLarge, GraderError, SubmissionError
from grader.inside import wire

CAN_PASS_ON = hasattr(os, "fork")  # open connections, to a process: Windows cannot
START_SECONDS = 60.0
END_SECONDS = 5.0
MOST_MESSAGES = 1_000  # in one answer

_ADVICE = "hand in the week's own files alone"


@dataclass(frozen=True)
class Budget:
    """The most that one request may take: seconds of computing, seconds by the clock, and MiB of memory.

    A submission is usually read in a few milliseconds. Waiting for a disk is no computing.
    """

    seconds: int = 10
    clock: float = 120.0
    mib: int = 1024


class TooCostly(SubmissionError):
    """Reading took more than the budget of computing or memory, and would do so each time."""


class BudgetedProcess:
    """A process that answers requests by the `Service` of the module `service`; started when it is first asked.

    It may be asked from several threads, one after the other.
    """

    def __init__(self, service: str, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()
        self._service = service
        self._name = ""  # of what is being read
        self._one_by_one = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._owner = 0  # the process that has started it

    def ask(self, request: Mapping[str, Any], name: str) -> list[Any]:
        """Return the parts of the answer, untrusted plain data; `name` is what is read, for messages.

        Raises `SubmissionError` where the process says so, or needs more than its budget, or crashes twice;
        `GraderError` where it cannot be started.
        """
        with self._one_by_one:
            self._name = name
            ended = ""
            for _ in range(2):  # a process that was killed by chance deserves a second one
                try:
                    return list(self._answer(request))
                except _Ended as end:
                    ended = str(end)
                except SubmissionError:
                    raise
                except BaseException:  # whatever interrupted it, the rest of an answer must not meet the next request
                    self._end()
                    raise
            raise SubmissionError(f"reading {name} ended the process that reads submissions ({ended})")

    def close(self) -> None:
        """End the process; a later request starts another one."""
        with self._one_by_one:
            self._end()

    def _answer(self, request: Mapping[str, Any]) -> Iterator[Any]:
        connection = self._started()
        end_at = time.monotonic() + self.budget.clock
        try:
            connection.settimeout(self.budget.clock)
            wire.send(connection, msgpack.packb(request, unicode_errors="surrogatepass"))
            for _ in range(MOST_MESSAGES):
                kind, body = self._message(connection, end_at)
                if kind == "end":
                    return
                if kind == "part":
                    yield body
                else:
                    self._refuse(kind, body)
        except TimeoutError:
            raise self._spoilt(f"took more than {self.budget.clock:g} s; {_ADVICE}") from None
        except wire.TooLong:
            pass
        except OSError:
            raise self._death() from None
        raise self._spoilt(f"gave more than can be; {_ADVICE}")

    def _message(self, connection: socket.socket, end_at: float) -> tuple[str, Any]:
        connection.settimeout(max(end_at - time.monotonic(), 0.001))
        raw = wire.receive(connection)
        try:
            kind, body = msgpack.unpackb(raw, unicode_errors="surrogatepass")
        except Exception:  # not what our process sends, so it is ours no more
            raise self._spoilt("gave no answer that can be understood") from None
        return str(kind), body

    def _refuse(self, kind: str, body: Any) -> None:
        """Raise the error that a message stands for."""
        if kind == "memory":
            raise TooCostly(str(self._spoilt(f"took more than {self.budget.mib:,} MiB of memory; {_ADVICE}")))
        if kind == "deep":
            raise SubmissionError(f"{self._name} is nested too deeply to be read")
        if kind == "large":
            raise DownloadTooLarge(str(body))
        if kind == "refused":
            raise SubmissionError(str(body))
        raise SubmissionError(f"the grader cannot read {self._name}, by a mistake of its own ({body})")

    def _spoilt(self, why: str) -> SubmissionError:
        """End the process, with whatever it still does and holds."""
        self._end()
        return SubmissionError(f"reading {self._name} {why}")

    def _death(self) -> _Ended | SubmissionError:
        status = self._end()
        if status == -getattr(signal, "SIGXCPU", 0):
            return TooCostly(f"reading {self._name} took more than {self.budget.seconds} s of computing; {_ADVICE}")
        with contextlib.suppress(ValueError):
            return _Ended(signal.Signals(-status).name)
        return _Ended(f"status {status}")

    def _started(self) -> socket.socket:
        if self._owner != os.getpid():  # this is a fork, and the connection is that of the process it was forked from
            self._connection = self._process = None
        if self._connection is None:
            with scratch.new_log() as log:
                try:
                    self._connection = self._start(log)
                    self._connection.settimeout(START_SECONDS)
                    wire.receive(self._connection)
                except OSError:
                    self._end()
                    log.seek(0)
                    why = log.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
                    raise GraderError(f"the process that reads submissions cannot be started ({why})") from None
        return self._connection

    def _start(self, log: IO[bytes]) -> socket.socket:
        self._owner = os.getpid()
        atexit.register(self._leave)
        if not CAN_PASS_ON:
            return self._meet(log)
        ours, theirs = socket.socketpair()
        with theirs:
            self._run(f"open:{theirs.fileno()}", log, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        return ours

    def _meet(self, log: IO[bytes]) -> socket.socket:
        """Have the process connect to a port of this machine, where it shows a key that nobody else has."""
        key = secrets.token_hex(16).encode()
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(START_SECONDS)
            process = self._run(f"port:{server.getsockname()[1]}", log, stdin=subprocess.PIPE)
            assert process.stdin is not None
            with process.stdin as pipe, contextlib.suppress(OSError):
                pipe.write(key)
            while True:
                connection, _ = server.accept()
                connection.settimeout(START_SECONDS)
                with contextlib.suppress(OSError):
                    if hmac.compare_digest(wire.receive(connection), key):
                        return connection
                connection.close()

    def _run(self, where: str, log: IO[bytes], **streams: Any) -> subprocess.Popen[bytes]:
        limits = (str(self.budget.seconds), str(self.budget.mib << 20))
        self._process = launch([where, self._service, *limits], log, **streams)
        return self._process

    def _leave(self) -> None:
        if self._owner == os.getpid():
            self._end()

    def _end(self) -> int:
        """Kill the process, unless it has ended by itself; return its exit status, or minus a signal."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(subprocess.TimeoutExpired):  # it closes its connection only by ending
            return process.wait(0.2)
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # a disk that hangs may hold it
            return process.wait(END_SECONDS)
        return -9  # SIGKILL


def launch(arguments: list[str], log: IO[bytes], **streams: Any) -> subprocess.Popen[bytes]:
    """Start the process that reads submissions."""
    return subprocess.Popen(
        # -P: the working folder may be a student's checkout, with a `json.py` of its own.
        [sys.executable, "-P", "-m", f"{__package__}.process", *arguments],
        env={**os.environ, "PYTHONPATH": _search_path()},
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C is for the parent; this one ends with its connection
        **streams,
    )


class _Ended(Exception):
    """The process ended without a word; the text says how."""


def _search_path() -> str:
    """Find this grader first there, too; it may lie where only the working folder or `sys.path` leads."""
    own = str(Path(__file__).resolve().parents[3])
    return os.pathsep.join(filter(None, [own, os.environ.get("PYTHONPATH")]))
