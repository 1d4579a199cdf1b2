"""Judges side by side: a thread for each judge process feeds it jobs, and replaces it when it dies."""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import msgpack

from grader import devices
from grader.errors import CourseError, GraderError, SandboxError
from grader.inside import wire
from grader.results import CheckResult, Report
from grader.sandbox import Sandbox
from grader.scratch import Scratch, sweep
from grader.worker import kill_tree, signal_name

START_SECONDS = 180.0
JOB_SECONDS = 1800.0
END_SECONDS = 5.0  # from the end of a judge's connection to its own
TRIES = 3  # a judge may be killed by chance, by whoever needs memory; hardly so often with the same submission
AHEAD = 2  # jobs for each judge that are read before it asks


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
    """A job that no judge could finish, and why; `everywhere` tells that no other job would fare better."""

    job: Job
    message: str
    everywhere: bool = False


class JudgeProcess:
    """One judge, started at its first job. `grade` raises `SandboxError` where the judge dies."""

    def __init__(self, root: Path, weeks: Sequence[str], sandbox: Sandbox, cores: Sequence[int] = ()) -> None:
        self._root = root
        self._cores = ",".join(map(str, cores))
        self._sandbox = sandbox
        self._weeks = list(weeks)
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._scratch: Scratch | None = None
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
                raise self._not_started() from None
        return self._connection

    def _not_started(self) -> GraderError:
        """Why there is no judge; one that was killed says nothing about the checks."""
        assert self._process is not None
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            status = 0
        tail = self._tail()
        self.close()
        if status < 0:
            return SandboxError(f"the judge was {signal_name(status)} while it started{tail}")
        return CourseError(f"the checks of {', '.join(self._weeks)} cannot be loaded{tail}")

    def _start(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        self._scratch = Scratch()
        environment = {
            **os.environ,
            **_caches(self._root),
            "PYTHONPATH": os.pathsep.join([str(self._root), *_own_folder()]),
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(self._scratch.path),  # what a killed judge leaves goes with the folder
        }
        environment.pop("PYTEST_ADDOPTS", None)
        sandbox = devices.packed(self._sandbox)
        arguments = [str(theirs.fileno()), str(self._root), sandbox, self._cores, *self._weeks]
        return subprocess.Popen(
            # -P: the working folder may be a student's checkout, with a `torch.py` of its own.
            [sys.executable, "-P", "-m", "grader.judge", *arguments],
            env=environment,
            pass_fds=[theirs.fileno(), self._scratch.lock],
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
            self._scratch.remove()
        self._process = self._connection = self._scratch = None


def _own_folder() -> list[str]:
    """Where this package lies, for a judge has to be of the same version; nothing where Python finds it anyway."""
    folder = Path(__file__).resolve().parents[1]
    return [] if folder.name in ("site-packages", "dist-packages") else [str(folder)]


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
    judge = JudgeProcess(root, [job.week], devices.shares(sandbox, 1)[0])
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
                return Failure(job, str(error), everywhere=isinstance(error, CourseError))
        except Exception as error:  # a bug of ours must not stop the others
            return Failure(job, f"{type(error).__name__}: {error}")
    raise AssertionError("unreachable")


class Pool:
    """`run(jobs)` yields a report or a failure for each job, as they come.

    Jobs are drawn in the thread that asks for results, and a few ahead of the judges: a class need not fit into memory.
    """

    def __init__(self, root: Path, weeks: Sequence[str], size: int, sandbox: Sandbox) -> None:
        own = devices.shares(sandbox, size)
        cores = share_cores(len(own))
        self._judges = [JudgeProcess(root, weeks, *shares) for shares in zip(own, cores, strict=True)]
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Report | Failure] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._hopeless: Failure | None = None

    def run(self, jobs: Iterable[Job]) -> Generator[Report | Failure, None, None]:
        sweep()
        waiting = iter(jobs)
        try:
            under_way = self._feed(waiting, AHEAD * len(self._judges))
            for judge in self._judges[:under_way]:
                threading.Thread(target=self._serve, args=(judge,), daemon=True).start()
            while under_way:
                done = self._next()
                under_way += self._feed(waiting, 1) - 1
                yield done
        finally:
            self._stopping.set()
            for judge in self._judges:
                self._jobs.put(None)
                judge.close()

    def _feed(self, waiting: Iterator[Job], most: int) -> int:
        """Hand out up to so many more jobs; how many there were."""
        count = 0
        for job in islice(waiting, most):
            self._jobs.put(job)
            count += 1
        return count

    def _next(self) -> Report | Failure:
        while True:
            try:
                return self._done.get(timeout=0.5)  # short waits let Ctrl-C through
            except queue.Empty:
                continue

    def _serve(self, judge: JudgeProcess) -> None:
        while (job := self._jobs.get()) is not None and not self._stopping.is_set():
            self._done.put(self._grade(judge, job))

    def _grade(self, judge: JudgeProcess, job: Job) -> Report | Failure:
        if self._hopeless is not None:
            return replace(self._hopeless, job=job)
        done = grade_patiently(judge, job, self._stopping.is_set)
        if isinstance(done, Failure) and done.everywhere:
            self._hopeless = done
        return done
