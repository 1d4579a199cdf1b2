"""Measures what a large class takes: `python tests/benchmarks/scale.py [SUBMISSIONS]`, 1000 by default.

A class hands in a light course of one week, and is graded, and then graded again without any change. Memory is what
each part has to itself and its share of what it shares (PSS), at every tenth of the class: it should not grow. Then
three real weeks: one report of each is graded, and given to as many students; that shows what their gradebook and class
page take.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.author.proof.mutants import reference_files  # noqa: E402
from grader.batch.run import write_class  # noqa: E402
from grader.course import Course  # noqa: E402
from grader.gradebook import Gradebook  # noqa: E402
from grader.judging.job import Job  # noqa: E402
from grader.judging.pool import grade_alone  # noqa: E402
from grader.results import Outcome, Report  # noqa: E402
from grader.sandbox import choose  # noqa: E402
from tests.support.courses import copied  # noqa: E402
from tests.support.makers import put  # noqa: E402

WORK = (
    "def double(n):\n    return 2 * n\n",
    "def double(n):\n    return n + 2\n",
    "def double(n):\n    return n / 0\n",
)
PARTS = ("parent", "judges", "sandboxes")


def main(count: int) -> None:
    """Print what was measured."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {count} submissions\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _light_class(folder, count)
        print(f"{'graded':>8}{'seconds':>10}" + "".join(f"{part + ' MiB':>16}" for part in PARTS))
        _say("first run", lambda: _run(folder, count))
        _say("second run, nothing changed", lambda: _run(folder, 0))
        _say_sizes(folder / "reports")
        _say("\nreports of the real weeks graded", lambda: _real_weeks(folder / "real", count))
        _say_class(folder / "real")


def _say(what: str, work: Callable[[], object]) -> None:
    begin = time.monotonic()
    work()
    print(f"{what}: {time.monotonic() - begin:.1f} s", flush=True)


def _light_class(folder: Path, count: int) -> None:
    copied("light", folder)
    for number in range(count):
        text = f"{WORK[number % len(WORK)]}\n# {number}\n"
        put(folder / "submissions" / f"student{number:05}" / "work.py", text.encode())


def _run(folder: Path, count: int) -> None:
    """Run `batch`, and print the memory of its processes at each tenth of so many results."""
    command = [sys.executable, "-m", "grader", "batch", "submissions"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    begin, step = time.monotonic(), max(1, count // 10)
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            done = re.match(r"\[(\d+)/", line)
            if done and int(done[1]) % step == 0:
                memory = _memory(psutil.Process(process.pid))
                figures = "".join(f"{memory[part] / 2**20:16.0f}" for part in PARTS)
                print(f"{done[1]:>8}{time.monotonic() - begin:10.1f}{figures}", flush=True)
    assert process.returncode == 0


def _memory(parent: psutil.Process) -> dict[str, int]:
    found = dict.fromkeys(PARTS, 0)
    for process in [parent, *parent.children(recursive=True)]:
        try:
            command = " ".join(process.cmdline())
            part = (
                "parent" if process == parent else "judges" if "grader.judging.fork_server" in command else "sandboxes"
            )
            found[part] += process.memory_full_info().pss
        except psutil.Error:  # it ended while we were looking
            continue
    return found


def _real_weeks(out: Path, count: int) -> None:
    sandbox = choose("auto")
    with Gradebook(out / "gradebook.sqlite") as book:
        for week, assignment in Course(ROOT).assignments().items():
            report = grade_alone(ROOT, Job("", week, reference_files(assignment), "0" * 64, (), 0), sandbox)
            for number in range(count):
                book.record(_somebody(report, number))


def _somebody(report: Report, number: int) -> Report:
    """A report of the reference as if a student had lost every seventh check."""
    message = (
        "wrong value\n  expected     [[1., 2.], [3., 4.]]\n  got          [[1., 3.], [2., 4.]]\n  because transposed"
    )
    checks = [
        replace(check, points=0, outcome=Outcome.FAILED, message=message) if (place + number) % 7 == 0 else check
        for place, check in enumerate(report.checks)
    ]
    return replace(report, student=f"student {number:05}", checks=tuple(checks))


def _say_sizes(out: Path) -> None:
    for name in ("gradebook.sqlite", "index.html", "grades.csv"):
        print(f"{name}: {(out / name).stat().st_size / 2**20:.2f} MiB")


def _say_class(out: Path) -> None:
    with Gradebook(out / "gradebook.sqlite") as book:
        _say("all results read from the gradebook", book.current)
        _say("grades.csv and class page written", lambda: write_class(book, out))
    _say_sizes(out)
    print(f"most memory of this process: {psutil.Process().memory_info().rss / 2**20:.0f} MiB")
    _say_page(out / "index.html")


def _say_page(page: Path) -> None:
    from playwright.sync_api import sync_playwright

    from tests.support.browsers import chromium

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        tab = browser.new_page()
        _say("class page opened in Chromium", lambda: tab.goto(page.as_uri()))
        _say("sorted by the first week", lambda: tab.locator("#students thead button").nth(1).click())
        _say("filtered", lambda: tab.locator("#filter").fill("00007"))
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
