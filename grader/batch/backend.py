"""Grades jobs on this machine or on others: the protocol `Backend`, and the backend of judges on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from grader.errors import GraderError
from grader.judging.job import Job, Ungraded
from grader.judging.pool import Pool
from grader.judging.shortcuts import Shortcuts
from grader.results import Report
from grader.sandbox import Sandbox


class Backend(Protocol):
    """Grades jobs: each gives one report or failure, exactly once, in any order.

    Jobs are drawn as needed, in the thread that asks for results, and a bounded number ahead of them. Where the
    generator is closed before its end, or interrupted, nothing goes on grading.
    """

    @property
    def says(self) -> str:
        """A line on how submissions are confined."""

    @property
    def confined(self) -> bool:
        """Tell whether all that grade so far confine submissions by a security boundary."""

    def prepare(self, weeks: Sequence[str], count: int) -> None:
        """Begin what takes long, while submissions are still read: `run` will get at most `count` of them."""

    def run(self, jobs: Iterable[Job], weeks: Sequence[str]) -> Generator[Report | Ungraded, None, None]:
        """Yield the result of each job, as it comes; all jobs are of these weeks."""

    def close(self) -> None:
        """End what was prepared; also from another thread, the run that goes on: it soon yields nothing more."""


class LocalBackend:
    """Judges on this machine, by default one a core; each confines submissions by this sandbox."""

    def __init__(
        self, root: Path, sandbox: Sandbox, jobs: int | None = None, shortcuts: Shortcuts | None = None
    ) -> None:
        self.says, self.confined = sandbox.says, sandbox.confined
        self._root, self._sandbox, self._shortcuts = root, sandbox, shortcuts
        self._judges = jobs or os.cpu_count() or 1
        self._prepared: Pool | None = None
        self._running: Pool | None = None
        self._closed = False

    def prepare(self, weeks: Sequence[str], count: int) -> None:
        """Start the fork server. There are no more judges than submissions; fewer judges get more cores each."""
        if self._prepared is None:
            self._prepared = self._pool(weeks, min(self._judges, count))
            self._prepared.start()

    def run(self, jobs: Iterable[Job], weeks: Sequence[str]) -> Generator[Report | Ungraded, None, None]:
        """Grade, and end the judges."""
        pool, self._prepared = self._prepared or self._pool(weeks, self._judges), None
        self._running = pool
        if self._closed:  # by another thread, before there was anything that it could stop
            pool.stop()
        yield from pool.run(jobs)

    def close(self) -> None:
        """End what was prepared, and have a run end, from whatever thread."""
        self._closed = True
        if self._running is not None:
            self._running.stop()
        if self._prepared is not None:
            self._prepared.close()
            self._prepared = None

    def _pool(self, weeks: Sequence[str], size: int) -> Pool:
        return Pool(self._root, weeks, size, self._sandbox, self._shortcuts)


def cluster_backend(
    root: Path, address: str, kind: str, say: Callable[[str], None], most: int | None = None
) -> Backend:
    """Return the `Cluster` of a Dask scheduler's workers. `GraderError` where Dask is not installed."""
    try:
        from grader.batch.cluster import Cluster  # noqa: PLC0415 - it needs an optional library
    except ModuleNotFoundError as error:
        raise GraderError(f"--scheduler needs {error.name}: pip install 'torch-autograder[cluster]'") from None
    return Cluster(root, address, kind, say, most)
