"""Measures what a class costs on a cluster: `python tests/benchmarks/cluster.py [--sizes 12 48 96] [--workers 1 2]`.

Classes of the real weeks (each submission is one student's week: the reference, changed by a comment) are graded by a
Dask scheduler and workers of one thread on this machine. In addition, workers "grade" larger classes by returning a
finished report at once: this leaves what the scheduler and the parent take for a submission, one after the other.
A model is fitted to all of these by least squares,

    seconds = start-up + submissions x seconds each / workers + submissions x overhead

with a start-up of its own for the classes that need no judges, and extrapolated to 10,000 submissions. The model adds
the overhead, although most of it passes while workers grade, so its wall time is rather too long. Nothing else should
run on this machine, and more workers than cores tell nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.course import Course  # noqa: E402
from grader.gradebook import Gradebook  # noqa: E402
from tests.benchmarks.throughput import hand_in, processor  # noqa: E402
from tests.support.machines import Machines  # noqa: E402

LARGE = 10_000
CORES = (2, 16, 64, 256)
EMPTY_SIZES, THREADS = (100, 400), 32  # classes that get finished reports, from one worker with so many threads
FINISHED = """
import json
from pathlib import Path
from grader import cluster_worker
from grader.results.report import Report

class Finished:
    def __init__(self, *_):
        self.reports = json.loads(Path({file!r}).read_text())

    def grade(self, job):
        return Report.from_dict(self.reports[job.week] | dict(student=job.student, submission=job.digest))

    def close(self):
        pass

cluster_worker.JudgeProcess = Finished
"""


@dataclass(frozen=True)
class Run:
    """One class: wall seconds, CPU seconds of the parent and of the scheduler, bytes on all connections together."""

    submissions: int
    workers: int
    judged: bool
    wall: float
    parent: float
    scheduler: float
    moved: int


@dataclass(frozen=True)
class Fit:
    """The model's numbers, in seconds, each with its standard error."""

    startup: tuple[float, float]
    each: tuple[float, float]
    overhead: tuple[float, float]
    residuals: list[float]

    def wall(self, submissions: int, workers: int) -> float:
        """Return the wall time by the model."""
        return self.startup[0] + submissions * (self.each[0] / workers + max(self.overhead[0], 0.0))


def main(sizes: Sequence[int], workers: Sequence[int]) -> None:
    """Print the runs, the fit and what a large class costs by it."""
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, {processor()}")
    heads = ("submissions", "workers", "judged", "wall s", "parent CPU s", "scheduler CPU s", "MiB moved")
    print("".join(f"{head:>16}" for head in heads))
    with tempfile.TemporaryDirectory() as name:
        runs = []
        for run in _runs(Path(name), sizes, workers):
            runs.append(run)
            words = (run.submissions, run.workers, "yes" if run.judged else "no")
            figures = (run.wall, run.parent, run.scheduler, run.moved / 2**20)
            print("".join(f"{word:>16}" for word in (*words, *(f"{figure:.1f}" for figure in figures))), flush=True)
    fitted = fit(runs)
    _show_fit(runs, fitted)
    _show_large(runs, fitted)


def _runs(folder: Path, sizes: Sequence[int], workers: Sequence[int]) -> Iterator[Run]:
    for count in sizes:
        list(hand_in(Course(ROOT), folder / f"class{count}", count))
        for number in workers:
            yield _run(folder, count, number)
    finished = _finished(folder, folder / f"reports{sizes[0]}-{workers[0]}-judged")
    for count in EMPTY_SIZES:
        list(hand_in(Course(ROOT), folder / f"class{count}", count))
        yield _run(folder, count, 1, finished)


def _run(folder: Path, count: int, workers: int, preload: str = "") -> Run:
    name = f"{count}-{workers}-{'finished' if preload else 'judged'}"
    (folder / name).mkdir()
    machines = Machines(folder / name)
    try:
        for number in range(workers):
            machines.worker(f"worker{number}", threads=THREADS if preload else 1, preload=preload)
        machines.wait_for(workers)
        scheduler = psutil.Process(machines.processes[0].pid)
        moved, busy, begin = _moved(), _cpu(scheduler), time.monotonic()
        parent = _batch(folder / f"class{count}", folder / f"reports{name}", machines.address)
        wall = time.monotonic() - begin
        return Run(count, workers, not preload, wall, parent, _cpu(scheduler) - busy, _moved() - moved)
    finally:
        machines.close()


def _batch(submissions: Path, out: Path, address: str) -> float:
    """Grade a class; the CPU seconds of the process that does so."""
    before = os.times()
    command = [sys.executable, "-m", "grader", "batch", str(submissions), "--out", str(out), "--scheduler", address]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _moved() -> int:
    """Bytes sent so far from this machine to itself, as Dask's processes do here."""
    return int(psutil.net_io_counters(pernic=True)["lo"].bytes_sent)


def _finished(folder: Path, out: Path) -> str:
    """Return the code that makes a worker give out these reports, one for each week."""
    with Gradebook(out / "gradebook.sqlite") as book:
        reports = {report.week: report.to_dict() for report in book.current()}
    file = folder / "finished.json"
    file.write_text(json.dumps(reports))
    return FINISHED.format(file=str(file))


def fit(runs: Sequence[Run]) -> Fit:
    """Least squares over all runs."""
    rows = [[r.judged, not r.judged, r.judged * r.submissions / r.workers, r.submissions] for r in runs]
    matrix, walls = np.array(rows, dtype=float), np.array([run.wall for run in runs])
    numbers, *_ = np.linalg.lstsq(matrix, walls, rcond=None)
    residuals = walls - matrix @ numbers
    free = max(1, len(runs) - matrix.shape[1])
    errors = np.sqrt(np.diag(np.linalg.pinv(matrix.T @ matrix)) * (residuals @ residuals) / free)
    startup, _, each, overhead = zip(numbers.tolist(), errors.tolist(), strict=True)
    return Fit(startup, each, overhead, residuals.tolist())


def _show_fit(runs: Sequence[Run], fitted: Fit) -> None:
    print("\nthe fit (with standard errors)")
    for name in ("startup", "each", "overhead"):
        value, error = getattr(fitted, name)
        print(f"{name:>12}{value:10.3f} s ± {error:.3f}")
    residuals = ", ".join(f"{residual:+.1f}" for residual in fitted.residuals)
    mean = float(np.mean([run.wall for run in runs]))
    print(f"   residuals  {residuals} s; {np.std(fitted.residuals) / mean:.1%} of the mean wall time")


def _show_large(runs: Sequence[Run], fitted: Fit) -> None:
    judged = [run for run in runs if run.judged]
    slope = np.polyfit([run.submissions for run in judged], [run.moved for run in judged], 1)[0]
    print(f"\n{LARGE} submissions, by the fit")
    print(f"{'cores':>12}{'wall':>12}{'core-hours':>13}")
    for cores in CORES:
        wall = fitted.wall(LARGE, cores)
        print(f"{cores:12}{wall / 3600:10.2f} h{cores * wall / 3600:13.1f}")
    print(f"core-hours of grading alone: {LARGE * fitted.each[0] / 3600:.1f}")
    moved = f"{slope * LARGE / 2**30:.2f} GiB, {slope / 1024:.0f} KiB a submission"
    print(f"moved over all connections together: {moved}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What a class costs on a cluster.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[12, 48, 96])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    main(given.sizes, given.workers)
