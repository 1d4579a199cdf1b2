"""Judges side by side: a thread for each judge process feeds it jobs, and replaces it when it dies."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from grader.errors import CourseError, GraderError, Killed
from grader.judging.fork_server_client import ForkServer
from grader.judging.job import Job, Ungraded
from grader.judging.judge_process import JudgeProcess
from grader.judging.scratch import sweep
from grader.judging.shortcuts import Shortcuts
from grader.results import Report
from grader.sandbox import Sandbox, devices

TRIES = 5  # a judge may be killed by chance, by whoever needs memory; hardly so often with the same submission
STARTS = 9  # what is killed before it has to do with a submission says nothing about that one
AHEAD = 2  # jobs for each judge that are read before it asks


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


def grade_patiently(judge: JudgeProcess, job: Job, stopping: Callable[[], bool]) -> Report | Ungraded:
    """Grade with a judge that is replaced when it dies, as often as `TRIES` and `STARTS` allow, until `stopping()`."""
    starts, tries = STARTS, TRIES
    while True:
        try:
            return judge.grade(job)
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
    """`run(jobs)` yields a report or a failure for each job, as they come.

    Jobs are drawn in the thread that asks for results, and a few ahead of the judges: a class need not fit into memory.
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
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Report | Ungraded] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._hopeless: Ungraded | None = None

    def start(self) -> None:
        """Have what judges are forked from start, while jobs are still looked for."""
        self._fork_server.start()

    def run(self, jobs: Iterable[Job]) -> Generator[Report | Ungraded, None, None]:
        """Grade, and end the judges, also where the caller stops before the last result."""
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
            self.close()

    def close(self) -> None:
        """End all judges."""
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

    def _next(self) -> Report | Ungraded:
        while True:
            try:
                return self._done.get(timeout=0.5)  # short waits let Ctrl-C through
            except queue.Empty:
                continue

    def _serve(self, judge: JudgeProcess) -> None:
        while (job := self._jobs.get()) is not None and not self._stopping.is_set():
            self._done.put(self._grade(judge, job))

    def _grade(self, judge: JudgeProcess, job: Job) -> Report | Ungraded:
        if self._hopeless is not None:
            return replace(self._hopeless, job=job)
        done = grade_patiently(judge, job, self._stopping.is_set)
        if isinstance(done, Ungraded) and done.everywhere:
            self._hopeless = done
        return done
