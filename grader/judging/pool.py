"""Runs judges side by side: a thread for each judge process feeds it jobs, and replaces it when it dies."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from grader.errors import CourseError, GraderError, Killed, TamperError
from grader.judging.fork_server_client import ForkServer
from grader.judging.job import Job, Ungraded
from grader.judging.judge_process import JudgeProcess
from grader.judging.shortcuts import Shortcuts
from grader.results import Report
from grader.sandbox import Sandbox, devices

TRIES = 5  # a judge may be killed by chance, where memory runs short; hardly so often with the same submission
STARTS = 9  # a process that is killed before it meets a submission says nothing about that submission
AHEAD = 2  # jobs for each judge that are read before it asks
MOMENT = 0.5  # seconds


def share_cores(judges: int) -> list[list[int]]:
    """Share out cores for each judge's submissions: its own ones, as long as there are enough."""
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


def grade_patiently(judge: JudgeProcess, job: Job, stopping: Callable[[], bool]) -> Report | Ungraded:
    """Grade, and retry with a new judge where one dies, as often as `TRIES` and `STARTS` allow, until `stopping()`.

    `TamperError` ends the whole run, so it is raised.
    """
    starts, tries = STARTS, TRIES
    while True:
        try:
            return judge.grade(job)
        except TamperError:
            raise
        except GraderError as error:
            if isinstance(error, Killed):
                starts -= 1
            else:
                tries -= 1
            if not starts or not tries or stopping():
                return Ungraded(job, str(error), everywhere=isinstance(error, CourseError))
        except Exception as error:  # a bug of ours must not stop the others
            return Ungraded(job, f"{type(error).__name__}: {error}")


class Pool:
    """Judges of one fork server, each on cores of its own. One is started when it is needed, and replaced when it dies.

    Call either `run` for all jobs, or `grade` from as many threads as there are judges.
    """

    def __init__(
        self,
        root: Path,
        weeks: Sequence[str],
        size: int,
        sandbox: Sandbox,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        own = devices.shares(sandbox, size)
        cores = share_cores(len(own))
        fork_server = self._fork_server = ForkServer(root, weeks, sandbox, shortcuts)
        self._judges = [JudgeProcess(root, weeks, *shares, fork_server) for shares in zip(own, cores, strict=True)]
        # The one used last is the next: where there is less to do than there are judges, the others are never started.
        self._idle: queue.LifoQueue[JudgeProcess] = queue.LifoQueue()
        for judge in self._judges:
            self._idle.put(judge)
        self._stopping = threading.Event()
        self._hopeless: Ungraded | None = None

    def start(self) -> None:
        """Start the fork server, while jobs are still looked for."""
        self._fork_server.start()

    def run(self, jobs: Iterable[Job]) -> Generator[Report | Ungraded, None, None]:
        """Grade the jobs; then end the judges, also where the caller stops before the last result."""
        with contextlib.suppress(_Stopped):
            yield from grade_all(_Threads(self, len(self._judges)), jobs)

    def grade(self, job: Job) -> Report | Ungraded:
        """Grade one submission, as soon as a judge has nothing else to do."""
        judge = self._idle.get()
        try:
            if self._hopeless is not None:
                return replace(self._hopeless, job=job)
            done = grade_patiently(judge, job, self._stopping.is_set)
        finally:
            if self._stopping.is_set():
                judge.close()  # it may have been started just after the others were closed
            self._idle.put(judge)
        if isinstance(done, Ungraded) and done.everywhere:
            self._hopeless = done
        return done

    def rest(self) -> None:
        """End the judges that have nothing to do; a later job starts them anew."""
        resting = []
        with contextlib.suppress(queue.Empty):
            while True:
                resting.append(self._idle.get_nowait())
        for judge in resting:
            judge.close()
            self._idle.put(judge)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def stop(self) -> None:
        """Have `run` end within moments, from another thread; what is not done by then stays undone."""
        self._stopping.set()

    def close(self) -> None:
        """End all judges, whatever they do."""
        self._stopping.set()
        for judge in self._judges:
            judge.close()


class _Stopped(Exception):
    """A pool was told to stop in the middle of a run."""


class Flight(Protocol):
    """The jobs that are with judges, here or elsewhere; one thread hands them out and takes in their results."""

    def room(self) -> int:
        """Tell how many jobs may be in flight now, at least one."""

    def submit(self, job: Job) -> None:
        """Send a job on its way, without waiting."""

    def landed(self) -> Iterable[Report | Ungraded]:
        """Give the results that have come since; if none, wait a moment at most, so that Ctrl-C gets through."""

    def close(self) -> None:
        """Drop what is still in flight."""


def grade_all(flight: Flight, jobs: Iterable[Job]) -> Generator[Report | Ungraded, None, None]:
    """Yield the result of each job, as it comes: the one loop over a class, wherever its judges are.

    A job is drawn when there is room for it, in the thread that asks for results: a class need not fit into memory.
    """
    waiting = iter(jobs)
    flying = 0
    try:
        while flying := flying + _hand_out(flight, waiting, flight.room() - flying):
            for done in flight.landed():
                flying += _hand_out(flight, waiting, flight.room() - flying + 1) - 1
                yield done
    finally:
        flight.close()


def _hand_out(flight: Flight, waiting: Iterator[Job], most: int) -> int:
    """Send up to `most` more jobs on their way; return how many there were."""
    count = 0
    for job in islice(waiting, max(0, most)):
        flight.submit(job)
        count += 1
    return count


class _Threads:
    """Jobs in flight on this machine: a thread waits for each judge."""

    def __init__(self, pool: Pool, judges: int) -> None:
        self._pool, self._judges = pool, judges
        self._threads = ThreadPoolExecutor(max(1, judges), thread_name_prefix="judge")
        self._flying: set[Future[Report | Ungraded]] = set()

    def room(self) -> int:
        return 0 if self._pool.stopping else AHEAD * self._judges

    def submit(self, job: Job) -> None:
        self._flying.add(self._threads.submit(self._pool.grade, job))

    def landed(self) -> Iterator[Report | Ungraded]:
        landed, self._flying = wait(self._flying, MOMENT, FIRST_COMPLETED)
        if self._pool.stopping:
            raise _Stopped
        for future in landed:
            yield future.result()

    def close(self) -> None:
        """Kill the judges, until no thread waits for any: one may have been about to start its own."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.close()
        while left := [future for future in self._flying if not future.done()]:
            wait(left, MOMENT)
            self._pool.close()
