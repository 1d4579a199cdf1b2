"""Measures the time from a save to the message: `python tests/benchmarks/watching.py [WEEK]`, beside plain pytest.

It works in a copy of the course whose modules are the reference's, breaks a line of plain values, mends it, and then
changes what every check of the week depends on.
"""

from __future__ import annotations

import queue
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from grader.course import Course
from grader.watching.loop import Desk, Shown
from grader.watching.spares import Warm

ROOT = Path(__file__).parents[2]
ROUNDS = 5
PLACES = {
    "week4": ("fcnn.py", "import torch"),
    "week5": ("lenet.py", "// stride + 1"),
    "week6": ("vgg.py", "import torch"),
    "week7": ("resnet.py", "import torch"),
}


def copied(week: str, folder: Path) -> Path:
    for name in ("assignments", "fixtures"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "course.toml", folder)
    for module in Course(ROOT).assignment(week).modules:
        shutil.copy(ROOT / "solutions" / week / f"{module}.py", folder / "assignments" / week)
    return folder


SPENT: list[float] = []  # CPU seconds of the processes that have run checks since the last save


def count_cpu() -> None:
    """Note what each process has spent before it is ended."""
    end = Warm.end

    def noting(warm: Warm) -> None:
        SPENT.append(sum(psutil.Process(warm.pid).cpu_times()[:2]))
        end(warm)

    Warm.end = noting  # type: ignore[method-assign]


def saves(root: Path, week: str) -> None:
    ends: queue.Queue[float] = queue.Queue()

    def show(shown: Shown) -> None:
        if not shown.waiting:
            ends.put(time.perf_counter())

    desk = Desk(Course(root), week, (), sys.platform == "linux", show)
    thread = threading.Thread(target=desk.watch)
    begin = time.perf_counter()
    thread.start()
    print(f"{'from the start to the first score':>45} {ends.get() - begin:7.2f} s")
    name, line = PLACES[week]
    file = root / "assignments" / week / name
    text = file.read_text(encoding="utf-8")
    kinds = {"a whole week": (text + "\nMORE = 1\n", text)}
    if line.startswith("//"):
        kinds = {"a task of plain values": (text.replace(line, "// stride + 2"), text), **kinds}
    for what, versions in kinds.items():
        took = []
        for number in range(2 * ROUNDS):
            time.sleep(1.5)  # a person thinks
            SPENT.clear()
            file.write_text(versions[number % 2], encoding="utf-8")
            begin = time.perf_counter()
            desk.saved([name])
            took.append(ends.get() - begin)
        print(
            f"{what:>45} {statistics.median(took):7.2f} s, at most {max(took):.2f} s; CPU s of each process: ", end=""
        )
        print(", ".join(f"{spent:.2f}" for spent in sorted(SPENT, reverse=True) if spent > 0.05))
    desk.end()
    thread.join()


def plain(root: Path, week: str, *more: str) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pytest", "-q", f"assignments/{week}", *more], cwd=root, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    what = " ".join(["pytest", week, *more])
    print(f"{what:>45} {time.perf_counter() - begin:7.2f} s, {cpu:.1f} CPU s")


def main() -> None:
    week = sys.argv[1] if len(sys.argv) > 1 else "week5"
    with tempfile.TemporaryDirectory() as folder:
        count_cpu()
        root = copied(week, Path(folder))
        plain(root, week)
        plain(root, week, "--task", f"{week.removeprefix('week')}.1")
        saves(root, week)


if __name__ == "__main__":
    main()
