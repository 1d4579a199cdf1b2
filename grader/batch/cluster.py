"""Grades a class on Dask workers of other machines: the parent hands out submissions and takes in reports.

    Cluster.run ── `grade_all` with a _Flight ── scheduler ── workers: `cluster_worker.grade`

A job that is lost with its worker is graded by another one; Dask gives up on a job once that has happened more often
than the scheduler's `allowed-failures` say. Each job is consumed once, whatever became of it, so that no grade is lost
or doubled. Dask's connections carry pickles: scheduler and workers are trusted as this machine is.

Dask is an optional library, so only `backend.cluster_backend` imports this module.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import Any

from distributed import Client, Future, as_completed
from distributed.scheduler import KilledWorker

from grader.batch import cluster_worker
from grader.batch.cluster_worker import Answer, Introduction, Terms, facts
from grader.errors import ClusterError, UsageError
from grader.judging.job import Job, Ungraded
from grader.judging.pool import grade_all
from grader.results import Report

CONNECT_SECONDS = 15.0
PATIENCE = 900.0  # seconds without any worker, after which a run gives up
LOOK_SECONDS = 2.0  # between two looks at who is there
POLL_SECONDS = 0.05
MOST_NAMED = 5
GO_ON = "what was graded is kept; run the same command again to go on"


class Cluster:
    """The workers of the Dask scheduler at `address`; each confines submissions by its own sandbox of this kind.

    `say` shows a line to the person who grades; `most` is the number of submissions in flight, by default somewhat more
    than the workers have threads; `patience` is how many seconds to wait while there is no worker.
    """

    def __init__(
        self,
        root: Path,
        address: str,
        kind: str,
        say: Callable[[str], None],
        most: int | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.root, self.address, self.kind = root, address, kind
        self.say, self.most, self.patience = say, most, patience
        self.says = f"graded by the workers of {address}, each in a sandbox of its own (--sandbox {kind})"
        self.confined = True  # until a worker without a security boundary takes part

    def prepare(self, weeks: Sequence[str], count: int) -> None:
        """Do nothing: workers start their judges at their first submission."""

    def close(self) -> None:
        """Do nothing, as nothing was prepared; who closes the generator ends its run."""

    def run(self, jobs: Iterable[Job], weeks: Sequence[str]) -> Generator[Report | Ungraded, None, None]:
        """Yield a report or a failure for each job, as they come; jobs are of these weeks, and drawn as needed.

        `ClusterError` says what is not there, or differs.
        """
        if not weeks:
            return
        terms = self._terms(tuple(weeks))
        client = self._connect()
        try:
            flight = _Flight(self, client, terms)
            flight.wait_for_worker()
            yield from grade_all(flight, jobs)
        finally:
            _leave(client, terms)

    def _terms(self, weeks: tuple[str, ...]) -> Terms:
        return Terms(secrets.token_hex(8), str(self.root), self.kind, weeks, facts(self.root, weeks))

    def _connect(self) -> Client:
        for name in ("distributed", "distributed.client"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters becomes an error of ours
        try:
            return Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False, name="grader")
        except ValueError as error:
            raise UsageError(f"--scheduler {self.address}: {error}; an address looks like tcp://host:8786") from None
        except OSError:
            raise ClusterError(
                f"there is no Dask scheduler at {self.address}; start one with `dask scheduler`, or mend the address; "
                + GO_ON
            ) from None


def _leave(client: Client, terms: Terms) -> None:
    """End the run's judges on every worker, and the connection; a scheduler that is gone has ended them itself."""
    with contextlib.suppress(Exception):
        if client.status == "running":
            client.run(cluster_worker.close, terms.run, on_error="ignore")
    with contextlib.suppress(Exception):
        client.close(timeout=CONNECT_SECONDS)


class _Flight:
    """The jobs of one run that are with workers, and the workers that it has met."""

    def __init__(self, cluster: Cluster, client: Client, terms: Terms) -> None:
        self._cluster, self._client, self._terms = cluster, client, terms
        self._flying: dict[Future, Job] = {}
        self._count = 0
        self._landed = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self._met: set[str] = set()
        self._bare: set[str] = set()
        self._threads = 0
        self._looked = float("-inf")
        self._alone: float | None = None  # since when there has been no worker

    def wait_for_worker(self) -> None:
        """Wait until there is a worker; each is greeted, and the run ends where one may not grade."""
        self._look()
        while not self._threads:
            time.sleep(POLL_SECONDS)
            self._look()

    def room(self) -> int:
        # A few more than are being graded: a worker need not wait for the parent, and a dying one takes few along.
        return self._cluster.most or self._threads + max(1, self._threads // 4)

    def submit(self, job: Job) -> None:
        key = f"grade-{self._terms.run}-{self._count}"  # no student's name: every user of the cluster can read it
        self._count += 1
        future = self._asked(self._client.submit, cluster_worker.grade, job, self._terms, key=key, pure=False)
        self._flying[future] = job
        self._landed.add(future)

    def landed(self) -> Iterator[Report | Ungraded]:
        for future, result in self._next():
            job = self._flying.pop(future)
            done = self._read(job, future.status == "error", result)
            future.release()  # neither the parent nor the scheduler holds on to what has been consumed
            yield done

    def close(self) -> None:
        if self._client.status == "running":
            self._client.cancel(list(self._flying))

    def _next(self) -> list[tuple[Future, Any]]:
        if not (batch := list(self._landed.next_batch(block=False))):
            time.sleep(POLL_SECONDS)  # short waits let Ctrl-C through
            self._look()
        return batch

    def _read(self, job: Job, failed: bool, result: Any) -> Report | Ungraded:
        if isinstance(result, CancelledError):
            raise self._lost()
        if not failed:
            return self._accept(job, result)
        error = result[1]
        if isinstance(error, KilledWorker):
            times = error.allowed_failures + 1
            last = error.last_worker.address
            return Ungraded(job, f"{times} workers died, one after the other, while they had it; the last was {last}")
        self._greet(sorted(self._asked(self._client.nthreads)))  # names a worker that cannot run this grader at all
        return Ungraded(job, f"{type(error).__name__}: {error}")

    def _accept(self, job: Job, answer: Answer) -> Report | Ungraded:
        self._admit([answer.worker])
        if answer.report is None:
            return Ungraded(job, f"worker {answer.worker.name}: {answer.failure}")
        report = Report.from_dict(answer.report)
        wanted = self._terms.same
        if (report.grader, report.assignment) != (wanted["the grader"], wanted[f"the checks of {report.week}"]):
            raise _refused([replace(answer.worker, objection="its judges run another grader, or other checks")])
        return report

    def _look(self) -> None:
        """Greet new workers, every now and then; where there is none, wait for some, but not for ever."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        there = self._asked(self._client.nthreads)
        self._threads = sum(there.values())
        self._met &= there.keys()
        if new := sorted(there.keys() - self._met):
            self._greet(new)
        self._wait(now)

    def _wait(self, now: float) -> None:
        where, patience = self._cluster.address, self._cluster.patience
        if self._threads:
            self._alone = None
        elif self._alone is None:
            self._alone = now
            self._cluster.say(f"{where} has no worker; waiting {patience:.0f} s for one (dask worker {where})")
        elif now - self._alone > patience:
            raise ClusterError(f"{where} has had no worker for {patience:.0f} s: start some; {GO_ON}")

    def _greet(self, addresses: Sequence[str]) -> None:
        answers = self._asked(
            self._client.run, cluster_worker.introduce, self._terms, workers=addresses, on_error="return"
        )
        # A worker that cannot be reached has left at this moment.
        there = [_introduced(*pair) for pair in answers.items() if not isinstance(pair[1], OSError)]
        self._admit(there)
        self._met |= answers.keys()

    def _admit(self, workers: Sequence[Introduction]) -> None:
        if refused := [worker for worker in workers if worker.objection]:
            raise _refused(refused)
        for worker in workers:
            if not worker.confined and worker.name not in self._bare:
                self._bare.add(worker.name)
                self._cluster.confined = False
                self._cluster.say(f"worker {worker.name}: {worker.says}")

    def _asked(self, question: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if self._client.status != "running":
            raise self._lost()
        try:
            return question(*arguments, **options)
        except (OSError, RuntimeError, CancelledError):
            raise self._lost() from None

    def _lost(self) -> ClusterError:
        return ClusterError(f"the scheduler at {self._cluster.address} was lost, or has dropped the work; {GO_ON}")


def _introduced(address: str, answer: Introduction | Exception) -> Introduction:
    if isinstance(answer, Exception):
        return Introduction(address, objection=f"it cannot run this grader ({type(answer).__name__}: {answer})")
    return answer


def _refused(workers: Sequence[Introduction]) -> ClusterError:
    named = [f"worker {worker.name} may not grade: {worker.objection}" for worker in workers[:MOST_NAMED]]
    more = [f"and {len(workers) - MOST_NAMED} more"] if len(workers) > MOST_NAMED else []
    return ClusterError(
        ". ".join([*named, *more]) + ". Every worker needs the course, grader and libraries of this machine "
        "(GRADER_COURSE in its environment says where the course lies, if not where it lies here) and the sandbox that "
        f"was asked for; mend or stop it; {GO_ON}"
    )
