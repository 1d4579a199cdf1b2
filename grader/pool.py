"""Judges side by side: a thread for each judge process feeds it jobs, and replaces it when it dies."""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from grader.errors import CourseError, GraderError, SandboxError
from grader.inside import wire
from grader.results import CheckResult, Report
from grader.sandbox import Sandbox
from grader.worker import kill_tree

START_SECONDS = 180.0
JOB_SECONDS = 1800.0
TRIES = 2


@dataclass(frozen=True)
class Job:
    """One submission to grade, by value. `kept` are results of an earlier run that need no check to run again."""

    student: str
    week: str
    files: dict[str, bytes]
    digest: str
    notes: tuple[str, ...]
    seed: int
    kept: tuple[CheckResult, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {**self.__dict__, "notes": list(self.notes), "kept": [check.to_dict() for check in self.kept]}


@dataclass(frozen=True)
class Failure:
    """A job that no judge could finish, and why."""

    job: Job
    message: str


class JudgeProcess:
    """One judge, started at its first job. `grade` raises `SandboxError` where the judge dies."""

    def __init__(self, root: Path, weeks: Sequence[str], sandbox: Sandbox, cores: Sequence[int] = ()) -> None:
        self._root = root
        self._cores = ",".join(map(str, cores))
        self._sandbox = sandbox
        self._weeks = list(weeks)
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the judge

    def grade(self, job: Job) -> Report:
        connection = self._started()
        try:
            connection.settimeout(JOB_SECONDS)
            wire.send(connection, msgpack.packb(job.to_dict()))
            reply = msgpack.unpackb(wire.receive(connection))
        except OSError as error:
            tail = self._tail()
            self.close()
            raise SandboxError(f"the judge died while grading ({type(error).__name__}){tail}") from None
        if "error" in reply:
            self.close()
            raise SandboxError(reply["error"])
        return Report.from_dict(reply["report"])

    def _started(self) -> socket.socket:
        if self._connection is None:
            self._connection, theirs = socket.socketpair()
            with theirs:
                self._process = self._start(theirs)
            self._connection.settimeout(START_SECONDS)
            try:
                wire.receive(self._connection)
            except OSError:
                tail = self._tail()
                self.close()
                raise CourseError(f"the checks of {', '.join(self._weeks)} cannot be loaded{tail}") from None
        return self._connection

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        self._scratch = tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True)
        environment = {
            **os.environ,
            **_caches(self._root),
            "PYTHONPATH": str(self._root),
            "OMP_NUM_THREADS": "1",
            "TMPDIR": self._scratch.name,  # what a killed judge leaves goes with the folder
        }
        environment.pop("PYTEST_ADDOPTS", None)
        arguments = [str(theirs.fileno()), str(self._root), self._sandbox.name, self._cores, *self._weeks]
        return subprocess.Popen(
            # -P: the working folder may be a student's checkout, with a `torch.py` of its own.
            [sys.executable, "-P", "-m", "grader.judge", *arguments],
            env=environment,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for the parent, which ends judges in order
        )

    def _tail(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return ":\n" + "\n".join(lines[-15:]) if lines else ""

    def close(self) -> None:
        """Kill the judge and everything below it, and remove what it had on disk."""
        if self._process is not None:
            kill_tree(self._process.pid, root_too=True)
            self._process.wait()
        if self._connection is not None:
            self._connection.close()
        if self._scratch is not None:
            self._scratch.cleanup()
        self._process = self._connection = self._scratch = None


def _caches(root: Path) -> dict[str, str]:
    """Where libraries may keep their caches: in the course's folder, not in the home or temporary folder."""
    names = {
        "MPLCONFIGDIR": "matplotlib",
        "TORCHINDUCTOR_CACHE_DIR": "torch",
        "HYPOTHESIS_STORAGE_DIRECTORY": "hypothesis",
    }
    return {name: str(root / ".cache" / folder) for name, folder in names.items()}


def share_cores(judges: int) -> list[list[int]]:
    """The cores that each judge's submissions run on: its own ones, as long as there are enough."""
    cores = sorted(os.sched_getaffinity(0))
    if judges >= len(cores):
        return [[cores[judge % len(cores)]] for judge in range(judges)]
    return [cores[judge::judges] for judge in range(judges)]


def grade_alone(root: Path, job: Job, sandbox: Sandbox) -> Report:
    """Grade one submission with a judge of its own."""
    judge = JudgeProcess(root, [job.week], sandbox)
    try:
        return judge.grade(job)
    finally:
        judge.close()


def grade_patiently(judge: JudgeProcess, job: Job, stopping: Callable[[], bool]) -> Report | Failure:
    """Grade with a judge that is replaced when it dies, as often as `TRIES` allows and until `stopping()`."""
    for attempt in range(1, TRIES + 1):
        try:
            return judge.grade(job)
        except GraderError as error:
            if attempt == TRIES or stopping():
                return Failure(job, str(error))
        except Exception as error:  # a bug of ours must not stop the others
            return Failure(job, f"{type(error).__name__}: {error}")
    raise AssertionError("unreachable")


class Pool:
    """`run(jobs)` yields a report or a failure for each job, as they come."""

    def __init__(self, root: Path, weeks: Sequence[str], size: int, sandbox: Sandbox) -> None:
        self._judges = [JudgeProcess(root, weeks, sandbox, cores) for cores in share_cores(size)]
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Report | Failure] = queue.SimpleQueue()
        self._stopping = threading.Event()

    def run(self, jobs: Iterable[Job]) -> Generator[Report | Failure]:
        count = 0
        for job in jobs:
            self._jobs.put(job)
            count += 1
        threads = [threading.Thread(target=self._serve, args=(j,), daemon=True) for j in self._judges[:count]]
        for thread in threads:
            thread.start()
        try:
            for _ in range(count):
                yield self._next()
        finally:
            self._stopping.set()
            for judge in self._judges:
                judge.close()

    def _next(self) -> Report | Failure:
        while True:
            try:
                return self._done.get(timeout=0.5)  # short waits let Ctrl-C through
            except queue.Empty:
                continue

    def _serve(self, judge: JudgeProcess) -> None:
        while not self._stopping.is_set():
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            self._done.put(grade_patiently(judge, job, self._stopping.is_set))
