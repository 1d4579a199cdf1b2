"""Runs in a Dask worker: says whether it may take part in a run, and keeps that run's judges warm.

A worker is one of the course's own machines, with the same checkout and the same grader as the parent. Submissions come
by value; students' code runs in sandboxes below this process, as everywhere, and never reaches Dask's connections.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from distributed import Reschedule, Worker, WorkerPlugin, get_worker

from grader.course import Course
from grader.errors import GraderError, TamperError
from grader.judging.job import Job
from grader.judging.pool import Pool
from grader.results import Report
from grader.sandbox import Sandbox, choose
from grader.version import VERSION, digest_of

COURSE = "GRADER_COURSE"  # in a worker's environment: where its course lies, if not where the parent has it
IDLE_SECONDS = 600.0  # without work, after which judges end; a later job starts them anew
MOST_LOST = 5  # submissions in a row without a grade: then the worker is at fault, and would drain the class
SHORT = 24  # characters of a digest that are enough to tell two apart
_LIBRARIES = ("torch", "numpy")


@dataclass(frozen=True)
class Terms:
    """The terms of a run for its workers: the course, the kind of sandbox, and what must be the same there as here."""

    run: str
    root: str
    sandbox: str
    weeks: tuple[str, ...]
    same: dict[str, str]


@dataclass(frozen=True)
class Introduction:
    """A worker's name, and what its sandbox says of itself. With an `objection` it may not grade."""

    name: str
    says: str = ""
    confined: bool = False
    objection: str = ""


@dataclass(frozen=True)
class Answer:
    """The result of a job: a report as plain data, or why there is none."""

    worker: Introduction
    report: dict[str, Any] | None = None
    failure: str = ""


def facts(root: Path, weeks: Sequence[str]) -> dict[str, str]:
    """Name what grades depend on, and the code that both ends share; `GraderError` where the course cannot be read."""
    versions = {name: metadata.version(name) for name in _LIBRARIES}
    course = Course(root)
    digests = {f"the checks of {week}": course.assignment(week).digest for week in weeks}
    grader = {"the grader": VERSION, "the grader's code for clusters": digest_of(["batch"])}
    return {**grader, "Python": platform.python_version(), **versions, **digests}


def introduce(terms: Terms, dask_worker: Worker) -> Introduction:
    """Tell whether this worker may take part, and how it would confine submissions."""
    return _introduce(terms, dask_worker)[0]


def _introduce(terms: Terms, worker: Worker) -> tuple[Introduction, Sandbox | None]:
    name = worker.address if worker.name == worker.address else f"{worker.name} ({worker.address})"
    try:
        objection = "; ".join(_differences(terms.same, facts(_root(terms), terms.weeks)))
        sandbox = choose(terms.sandbox)
    except GraderError as error:
        return Introduction(name, objection=str(error)), None
    return Introduction(name, sandbox.says, sandbox.confined, objection), sandbox


def _root(terms: Terms) -> Path:
    return Path(os.environ.get(COURSE) or terms.root)


def _differences(wanted: dict[str, str], found: dict[str, str]) -> Iterator[str]:
    for what, value in wanted.items():
        if found.get(what) != value:
            yield f"{what}: {found.get(what, 'nothing')[:SHORT]} there, {value[:SHORT]} here"


def grade(job: Job, terms: Terms) -> Answer:
    """Grade one submission. A worker that joined late and may not take part says so instead."""
    return _judges_of(get_worker(), terms).grade(job)


def close(run: str, dask_worker: Worker) -> None:
    """End the run's judges, and start no more for it."""
    with _lock:
        judges = _held.get((dask_worker.address, run))
        _held[dask_worker.address, run] = None
    if judges is not None:
        judges.close()


class Judges:
    """The judges of one run on one worker: one for each of its threads, started when needed."""

    def __init__(self, terms: Terms, worker: Worker) -> None:
        self.introduction, sandbox = _introduce(terms, worker)
        self._pool: Pool | None = None
        if sandbox is not None and not self.introduction.objection:
            self._pool = Pool(_root(terms), terms.weeks, worker.state.nthreads, sandbox)
        self._lost = 0
        self._closed = threading.Event()
        self._timer = threading.Timer(IDLE_SECONDS, self._cool)

    def grade(self, job: Job) -> Answer:
        """Grade one submission; return its report, or why there is none."""
        if self._pool is None:
            return Answer(self.introduction)
        try:
            done = self._pool.grade(job)
        except TamperError as error:
            return Answer(replace(self.introduction, objection=str(error)))
        finally:
            self._wind_up()
        if isinstance(done, Report):
            self._lost = 0
            return Answer(self.introduction, done.to_dict())
        if self._closed.is_set():
            raise Reschedule  # not the submission's fault: this worker ends, and another one takes it
        self._lost += 1
        if done.everywhere or self._lost == MOST_LOST:
            return Answer(replace(self.introduction, objection=done.message))
        return Answer(self.introduction, failure=done.message)

    def _wind_up(self) -> None:
        self._timer.cancel()
        if not self._closed.is_set():
            self._timer = threading.Timer(IDLE_SECONDS, self._cool)
            self._timer.daemon = True
            self._timer.start()

    def _cool(self) -> None:
        """End judges that have long had no work: a parent that was killed cannot end them."""
        if self._pool is not None:
            self._pool.rest()

    def close(self) -> None:
        """Kill every judge, whatever it does; its job goes to another worker."""
        self._closed.set()
        self._timer.cancel()
        if self._pool is not None:
            self._pool.close()


class _Closing(WorkerPlugin):
    """Ends a run's judges with their worker."""

    def __init__(self, run: str) -> None:
        self._run = run

    def teardown(self, worker: Worker) -> None:
        close(self._run, worker)


_lock = threading.Lock()
_held: dict[tuple[str, str], Judges | None] = {}  # by the worker's address and the run; None: ended, or the worker ends


def _judges_of(worker: Worker, terms: Terms) -> Judges:
    key = worker.address, terms.run
    with _lock:
        if key in _held:
            judges = _held[key]
            if judges is None:
                raise Reschedule
            return judges
        judges = _held[key] = Judges(terms, worker)
    worker.loop.add_callback(worker.plugin_add, plugin=_Closing(terms.run), name=f"grader-{terms.run}")
    return judges
