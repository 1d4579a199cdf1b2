"""Compares a class with a loop of `python -m pytest`: `python tests/benchmarks/throughput.py [SUBMISSIONS]`.

A class over all weeks (the references, each changed by a comment; 99 by default) is graded by public and hidden
checks, in turn by a loop that starts pytest for each submission, by as many such loops as there are cores, and by this
kit with one judge and with one a core. The floor is the CPU time of the students' own code in one warm process. The
next row is the same in as many such processes as cores, each with its part of the class, because they slow each other
down. CPU seconds are those of the whole machine except this program, so nothing else should run on it; memory is the
greatest sum over the process tree (PSS). Everything is measured twice, in turn, so that an hour in which the machine is
slower falls on all rows, and the table shows means. A loop of pytest costs the same for each submission, so it gets a
sixth of the class. The last table is what a student waits for (`desk.py`).
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from importlib import metadata
from operator import add
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.author.proof.mutants import reference_files  # noqa: E402
from grader.course import Course  # noqa: E402
from tests.benchmarks import desk  # noqa: E402

CORES = len(os.sched_getaffinity(0))
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
ROUNDS = 2
PART = 6  # of the class, for the loops of pytest: that many times fewer submissions
EVERY = 5.0  # seconds between two looks at the memory: each takes some ten milliseconds a process


@dataclass(frozen=True)
class Handed:
    """One submission of the class."""

    week: str
    folder: Path


@dataclass(frozen=True)
class Cost:
    """What one way of grading took for so many submissions.

    `wall` are seconds by the clock (0 where nobody looked at it), `cpu` seconds of all cores, `memory` bytes.
    """

    count: int
    wall: float
    cpu: float
    memory: int

    @property
    def each(self) -> float:
        """CPU seconds a submission."""
        return self.cpu / self.count

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.count + other.count, self.wall + other.wall, self.cpu + other.cpu, max(self.memory, other.memory)
        )


def main(count: int) -> None:
    """Print the table."""
    course = Course(ROOT)
    versions = f"Python {platform.python_version()}, torch {metadata.version('torch')}"
    print(f"{platform.machine()}, {CORES} cores, {processor()}, {psutil.virtual_memory().total >> 30} GiB, {versions}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        handed = list(hand_in(course, folder / "class", count))
        part = handed[: max(len(course.assignments()), len(handed) // PART)]
        print(f"{len(handed)} submissions, {', '.join(course.assignments())}; means of {ROUNDS} rounds\n", flush=True)
        ways: dict[str, Callable[[], Cost]] = {
            "floor: the students' code alone": lambda: _floor(handed, 1),
            f"the same in {CORES} processes": lambda: _floor(handed, CORES),
            "this kit, 1 judge": lambda: _batch(folder, len(handed), 1),
            f"this kit, {CORES} judges": lambda: _batch(folder, len(handed), CORES),
            "pytest in a loop": lambda: _loop(part, 1),
            f"{CORES} loops of pytest": lambda: _loop(part, CORES),
        }
        _show([{label: way() for label, way in ways.items()} for _ in range(ROUNDS)])
    print("\nWhat a student waits for, in seconds by the clock")
    desk.main()


def _show(rounds: Sequence[Mapping[str, Cost]]) -> None:
    print(f"{'':34}{'submissions':>12}{'CPU s a':>12}{'over the':>10}{'in each':>16}{'memory':>10}")
    print(f"{'':34}{'an hour':>12}{'submission':>12}{'floor':>10}{'round':>16}{'GiB':>10}")
    first = next(iter(rounds[0]))
    floor = reduce(add, (one[first] for one in rounds))
    for label in rounds[0]:
        whole = reduce(add, (one[label] for one in rounds))
        hour = f"{3600 * whole.count / whole.wall:12.0f}" if whole.wall else f"{'':12}"
        over = " ".join(f"{one[label].each / one[first].each:.2f}" for one in rounds)
        memory = f"{whole.memory / 2**30:10.2f}" if whole.memory else ""
        print(f"{label:34}{hour}{whole.each:12.2f}{whole.each / floor.each:9.2f}×{over:>16}{memory}", flush=True)


def hand_in(course: Course, folder: Path, count: int) -> Iterator[Handed]:
    weeks = list(course.assignments().values())
    for number in range(count):
        assignment = weeks[number % len(weeks)]
        home = folder / f"student{number:04}" / assignment.week
        home.mkdir(parents=True)
        for name, content in reference_files(assignment).items():
            (home / name).write_bytes(content + f"\n# student {number}\n".encode())
        yield Handed(assignment.week, home)


def _loop(handed: Sequence[Handed], processes: int) -> Cost:
    with _measured(len(handed)) as costs, ThreadPoolExecutor(processes) as pool:
        for ended in pool.map(_pytest, handed):
            # 1: a check failed; that is a grade. Everything else would make the comparison worthless.
            assert ended.returncode in (0, 1), ended.stdout + ended.stderr
    return costs[0]


def _pytest(one: Handed) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", *_arguments(one.week, str(one.folder))]
    return subprocess.run(command, cwd=ROOT, env=ONE_THREAD, capture_output=True, text=True)


def _arguments(week: str, folder: str) -> list[str]:
    """Return pytest's arguments to run a week's public and hidden checks on one submission."""
    checks = map(str, Course(ROOT).assignment(week).check_files)
    return ["-q", "-p", "no:cacheprovider", "--submission", folder, *checks]


def _batch(folder: Path, count: int, judges: int) -> Cost:
    command = [sys.executable, "-m", "grader", "batch", str(folder / "class"), "--jobs", str(judges)]
    with tempfile.TemporaryDirectory(dir=folder) as out, _measured(count) as costs:
        subprocess.run([*command, "--out", f"{out}/reports"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return costs[0]


def _floor(handed: Sequence[Handed], processes: int) -> Cost:
    """CPU seconds of the students' code, in so many processes at once that have imported everything."""
    size = -(-len(handed) // processes)
    parts = (handed[begin : begin + size] for begin in range(0, len(handed), size))
    with ThreadPoolExecutor(processes) as pool:
        return Cost(len(handed), 0, sum(pool.map(_part_of_floor, parts)), 0)


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
def _measured(count: int) -> Iterator[list[Cost]]:
    """The cost of the block for so many submissions, as the only entry of the list, once it has ended."""
    costs: list[Cost] = []
    most, stop = [0], threading.Event()
    watch = threading.Thread(target=_watch, args=(most, stop))
    watch.start()
    wall, cpu = time.monotonic(), busy()
    try:
        yield costs
    finally:
        wall, cpu = time.monotonic() - wall, busy() - cpu
        stop.set()
        watch.join()
    costs.append(Cost(count, wall, cpu, most[0]))


def _watch(most: list[int], stop: threading.Event) -> None:
    while not stop.wait(EVERY):
        most[0] = max(most[0], sum(_memory(child) for child in psutil.Process().children(recursive=True)))


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:  # it ended while we were looking
        return 0


def busy() -> float:
    """Return the CPU seconds of the whole machine so far, but for this process."""
    times = psutil.cpu_times()
    # Nobody here used what the host of a virtual machine took away; and looking is not the grader's work.
    away = times.idle + times.iowait + times.guest + times.guest_nice + times.steal
    return float(sum(times) - away - time.process_time())


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
