"""What a class costs, against a loop of `python -m pytest`: `python tests/benchmarks/throughput.py [SUBMISSIONS]`.

A class over all weeks (the references, each changed by a comment; 99 by default) is graded by public and hidden checks,
in turn by a loop that starts pytest for each submission, by as many such loops as there are cores, and by this kit with
one judge and with one a core. The floor is the CPU time of the students' own code in one warm process; and beside it in
as many such processes as cores, each with its part of the class, for they slow each other down. CPU seconds are those
of the whole machine, so nothing else should run on it; memory is the greatest sum over the tree (PSS). At last comes
what a student waits for (`desk.py`).
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.assignment import Course  # noqa: E402
from grader.mutants import reference_files  # noqa: E402
from tests.benchmarks import desk  # noqa: E402

CORES = len(os.sched_getaffinity(0))
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
EVERY = 5.0  # seconds between two looks at the memory: each takes some ten milliseconds a process


@dataclass(frozen=True)
class Handed:
    """One submission of the class."""

    week: str
    folder: Path


@dataclass(frozen=True)
class Cost:
    """What one way of grading took: seconds by the clock, CPU seconds of the machine, the greatest memory in bytes."""

    wall: float
    cpu: float
    memory: int


def main(count: int) -> None:
    """Print the table."""
    course = Course(ROOT)
    versions = f"Python {platform.python_version()}, torch {metadata.version('torch')}"
    print(f"{platform.machine()}, {CORES} cores, {processor()}, {psutil.virtual_memory().total >> 30} GiB, {versions}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        handed = list(hand_in(course, folder / "class", count))
        floor, together = _floor(handed, 1), _floor(handed, CORES)
        print(f"{len(handed)} submissions, {', '.join(course.assignments())}\n")
        print(f"{'':34}{'submissions':>12}{'CPU s a':>12}{'over the':>10}{'memory':>10}")
        print(f"{'':34}{'an hour':>12}{'submission':>12}{'floor':>10}{'GiB':>10}")
        print(f"{'floor: the students code alone':34}{'':>12}{floor / len(handed):12.2f}{1:9.2f}×")
        label = f"the same in {CORES} processes"
        print(f"{label:34}{'':>12}{together / len(handed):12.2f}{together / floor:9.2f}×")
        ways: dict[str, Callable[[], object]] = {
            "pytest in a loop": lambda: _loop(handed, 1),
            f"{CORES} loops of pytest": lambda: _loop(handed, CORES),
            "this kit, 1 judge": lambda: _batch(folder, 1),
            f"this kit, {CORES} judges": lambda: _batch(folder, CORES),
        }
        for label, way in ways.items():
            with _measured() as costs:
                way()
            _show(label, costs[0], len(handed), floor)
    print("\nWhat a student waits for, in seconds by the clock")
    desk.main()


def _show(label: str, cost: Cost, count: int, floor: float) -> None:
    hour, each = 3600 * count / cost.wall, cost.cpu / count
    print(f"{label:34}{hour:12.0f}{each:12.2f}{cost.cpu / floor:9.2f}×{cost.memory / 2**30:10.2f}", flush=True)


def hand_in(course: Course, folder: Path, count: int) -> Iterator[Handed]:
    weeks = list(course.assignments().values())
    for number in range(count):
        assignment = weeks[number % len(weeks)]
        home = folder / f"student{number:04}" / assignment.week
        home.mkdir(parents=True)
        for name, content in reference_files(assignment).items():
            (home / name).write_bytes(content + f"\n# student {number}\n".encode())
        yield Handed(assignment.week, home)


def _loop(handed: Sequence[Handed], processes: int) -> None:
    with ThreadPoolExecutor(processes) as pool:
        for ended in pool.map(_pytest, handed):
            # 1: a check failed; that is a grade. Everything else would make the comparison worthless.
            assert ended.returncode in (0, 1), ended.stdout + ended.stderr


def _pytest(one: Handed) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", *_arguments(one.week, str(one.folder))]
    return subprocess.run(command, cwd=ROOT, env=ONE_THREAD, capture_output=True, text=True)


def _arguments(week: str, folder: str) -> list[str]:
    """What pytest needs to run a week's public and hidden checks on one submission."""
    checks = map(str, Course(ROOT).assignment(week).check_files)
    return ["-q", "-p", "no:cacheprovider", "--submission", folder, *checks]


def _batch(folder: Path, judges: int) -> None:
    out = folder / f"reports{judges}"
    command = [sys.executable, "-m", "grader", "batch", str(folder / "class"), "--out", str(out), "--jobs", str(judges)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _floor(handed: Sequence[Handed], processes: int) -> float:
    """CPU seconds of the students' code, in so many processes at once that have imported everything."""
    size = -(-len(handed) // processes)
    with ThreadPoolExecutor(processes) as pool:
        return sum(pool.map(_part_of_floor, (handed[begin : begin + size] for begin in range(0, len(handed), size))))


def _part_of_floor(handed: Sequence[Handed]) -> float:
    command = [sys.executable, __file__, "--floor", *(f"{one.week}={one.folder}" for one in handed)]
    done = subprocess.run(command, cwd=ROOT, env=ONE_THREAD, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def _run_floor(handed: Sequence[str]) -> None:
    import contextlib
    import io

    import pytest
    import torch._dynamo  # noqa: F401 - the first optimizer would import it, and count as a student's

    from grader.inside import probing

    spent = 0.0
    plain = probing.call

    def timed(*arguments: object) -> object:
        nonlocal spent
        begin = time.process_time()
        try:
            return plain(*arguments)  # type: ignore[arg-type]
        finally:
            spent += time.process_time() - begin

    probing.call = timed
    for one in handed:
        week, _, folder = one.partition("=")
        with contextlib.redirect_stdout(io.StringIO()):
            pytest.main(_arguments(week, folder))
    print(json.dumps({"seconds": spent}))


@contextmanager
def _measured() -> Iterator[list[Cost]]:
    """The cost of the block, as the only entry of the list, once it has ended."""
    costs: list[Cost] = []
    most, stop = [0], threading.Event()
    watch = threading.Thread(target=_watch, args=(most, stop))
    watch.start()
    wall, cpu = time.monotonic(), _busy()
    try:
        yield costs
    finally:
        wall, cpu = time.monotonic() - wall, _busy() - cpu
        stop.set()
        watch.join()
    costs.append(Cost(wall, cpu, most[0]))


def _watch(most: list[int], stop: threading.Event) -> None:
    while not stop.wait(EVERY):
        most[0] = max(most[0], sum(_memory(child) for child in psutil.Process().children(recursive=True)))


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:  # it ended while we were looking
        return 0


def _busy() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "processor unknown"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--floor"]:
        _run_floor(sys.argv[2:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 99)
