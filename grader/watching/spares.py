"""Keeps warm processes waiting, and hands them out: each serves one order, and another takes its place.

Where forks are cheap, one process imports everything, and the others are forks of it. Elsewhere each imports everything
by itself, early enough to wait when it is needed.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import Any

import psutil

from grader.course import Assignment
from grader.errors import CourseError
from grader.language import VARIABLE, spoken
from grader.watching import wire

LANES = 2  # processes that run checks at a time
START_SECONDS = 300.0  # for imports, on a very busy machine
SPARE = 1  # more that wait, so that the next save finds some
_PLAIN = {"MPLBACKEND": "agg", "PYTHONBREAKPOINT": "0", "PYTHONUTF8": "1"}


@dataclass(frozen=True)
class Check:
    """A check as a warm process has collected it."""

    id: str
    task: str
    title: str
    max_points: int
    seconds: float
    needs: tuple[str, ...] = ()


@dataclass
class Warm:
    """A process that has imported everything, and waits for an order."""

    connection: Connection
    pid: int
    checks: tuple[Check, ...] = field(default=())

    def end(self) -> None:
        """Kill the process with all that it has started."""
        with contextlib.suppress(psutil.Error):
            one = psutil.Process(self.pid)
            for process in [*one.children(recursive=True), one]:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):  # whose parent has ended is nobody's child, and still of the group
                os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.connection.close()


class Spares:
    """Keeps warm processes for one week; unless they are made `ahead`, each starts when it is asked for."""

    def __init__(
        self,
        assignment: Assignment,
        forks: bool,
        lanes: int = LANES,
        submission: Path | None = None,
        ahead: bool = True,
    ) -> None:
        self.lanes = lanes
        self._ahead = ahead
        self._submission = submission
        self._assignment = assignment
        self._forks = forks
        self._language = spoken()  # in this thread: others may start processes, too
        self._ready: queue.Queue[Warm | CourseError] = queue.Queue()
        self._orders: Connection | None = None  # to the process that forks
        self._started: list[subprocess.Popen[bytes]] = []
        self._closed = False
        self._key = secrets.token_bytes(32)
        self._listener = Listener(authkey=self._key)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as processes start
        threading.Thread(target=self._accept, daemon=True).start()
        for _ in range((1 if forks else lanes + SPARE) if ahead else 0):
            self._start()

    def take(self) -> Warm:
        """Wait for a warm process; raises `CourseError` where there can be none."""
        if not self._ahead and self._ready.empty():
            self._start()
        while True:
            try:
                found = self._ready.get(timeout=0.5)
            except queue.Empty:
                self._look_after()
                continue
            if isinstance(found, CourseError):
                self._ready.put(found)  # for who else asks
                raise found
            return found

    def replace(self) -> None:
        """Have another process made, for one that was taken to serve."""
        if self._orders is not None:
            with contextlib.suppress(OSError):
                wire.send(self._orders, kind=wire.FORK)
        elif not self._forks and self._ahead:
            self._start()

    def put_back(self, warm: Warm) -> None:
        """Take back a process that has served nothing."""
        self._ready.put(warm)

    def close(self) -> None:
        """End all processes."""
        self._closed = True
        for process in self._started:
            Warm(self._orders, process.pid).end() if self._orders else process.kill()
            process.wait()
        with contextlib.suppress(OSError):
            self._listener.close()
        self._log.close()

    def _start(self) -> None:
        how = "fork" if self._forks else "spare"
        words = [self._listener.address, str(self._assignment.root), self._assignment.week, how]
        words += [str(self._submission.resolve())] if self._submission else []
        apart: dict[str, Any] = {"start_new_session": True}  # Ctrl-C is for the watcher alone
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "grader.watching.warm", *map(str, words)],
            stdin=subprocess.PIPE, stdout=self._log, stderr=self._log,
            env={**os.environ, **_PLAIN, VARIABLE: self._language},
            **apart,
        )  # fmt: skip
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.write(self._key.hex().encode() + b"\n")
            process.stdin.close()
        self._started.append(process)

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection = self._listener.accept()
                message = wire.receive(connection)
            except Exception:  # noqa: S112 - who knocks without the key, or has ended since
                continue
            self._welcome(connection, message)

    def _welcome(self, connection: Connection, message: dict[str, Any]) -> None:
        if message["kind"] == wire.FAILED:
            why = f"{message['log']}\n{self._said() if message['also'] else ''}".strip()
            self._ready.put(CourseError(f"the checks of {self._assignment.week} cannot be loaded:\n{why}"))
        elif message.get("forks"):
            self._orders = connection
            for _ in range(self.lanes + SPARE):
                wire.send(connection, kind=wire.FORK)
        else:
            checks = tuple(Check(**{**check, "needs": tuple(check["needs"])}) for check in message["checks"])
            self._ready.put(Warm(connection, message["pid"], checks))

    def _look_after(self) -> None:
        """Say so where the processes that were to come have ended instead."""
        self._started = [process for process in self._started if process.poll() is None]
        if not self._started and self._ready.empty():
            self._ready.put(CourseError(f"the process that runs the checks ended while it started:\n{self._said()}"))

    def _said(self) -> str:
        """Return the end of what the processes have said."""
        self._log.seek(0)
        return self._log.read()[-2000:].decode("utf-8", "replace")
