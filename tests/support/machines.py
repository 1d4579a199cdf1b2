"""Other machines for tests: a Dask scheduler and workers, as processes on this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from distributed import Client

from tests.support import warm
from tests.support.makers import put

ROOT = Path(__file__).parents[2]
Process = subprocess.Popen[bytes] | warm.Program


class Machines:
    """A scheduler and workers, each a process of its own on this machine.

    Given others, whose workers must have ended, it has workers alone, and theirs is the scheduler.
    """

    def __init__(self, folder: Path, others: Machines | None = None) -> None:
        self._folder = folder
        self.file = others.file if others else folder / "scheduler.json"
        self.processes = [] if others else [self._start("scheduler", "--port", "0", "--host", "127.0.0.1")]

    @property
    def address(self) -> str:
        def written() -> bool:
            return self.file.exists() and self.file.read_text().endswith("}")

        wait_until(written)
        return str(json.loads(self.file.read_text())["address"])

    def worker(
        self, name: str, *, threads: int = 1, nanny: bool = False, preload: str = "", **environment: str
    ) -> Process:
        """A worker; `preload` is Python that it runs first. It is forked, unless another grader or PATH are its own."""
        first = ("--preload", str(put(self._folder / f"{name}.py", preload.encode()))) if preload else ()
        kind = "--nanny" if nanny else "--no-nanny"
        options = ("--name", name, kind, "--nthreads", str(threads), "--death-timeout", "20", *first)
        self.processes.append(self._start("worker", *options, **environment))
        return self.processes[-1]

    def wait_for(self, workers: int) -> None:
        """Wait until the scheduler knows so many workers."""
        with Client(self.address, set_as_default=False) as observer:
            wait_until(lambda: len(observer.nthreads()) == workers)

    def _start(self, what: str, *options: str, **environment: str) -> Process:
        settings = {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
        command = [sys.executable, "-P", "-m", "dask", what, "--no-dashboard", *options]
        command += ["--scheduler-file", str(self.file)]
        with (self._folder / "log").open("ab") as log:
            whole = {**os.environ, **settings, **environment}
            # A scheduler reads its settings where `distributed` is imported, and there that has been done already.
            own = what == "scheduler" or "--nanny" in options or environment.keys() & {"PATH", "PYTHONPATH"}
            if own or warm.ADDRESS not in os.environ:  # benchmarks have no process that forks
                return subprocess.Popen(command, cwd=self._folder, env=whole, stdout=log, stderr=log)
            return warm.popen(
                command, cwd=self._folder, env=whole, stdout=log, stderr=log, imports=["distributed.cli.dask_worker"]
            )

    def close(self) -> None:
        """End all; the scheduler last, since a worker that ends without one waits for it."""
        for process in reversed(self.processes):
            below = tree(process.pid)
            process.terminate()
            left = psutil.wait_procs(below, timeout=20)[1]
            for child in left:
                child.kill()
            process.wait()
            assert not left, (self._folder / "log").read_text()


def tree(pid: int) -> list[psutil.Process]:
    """A process and everything below it, as far as it lives."""
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def wait_until(true: Callable[[], object], seconds: float = 120) -> None:
    """Wait until a condition holds; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
