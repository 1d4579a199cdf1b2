"""Measures the desk: `python tests/benchmarks/desk_pages.py [STUDENTS]`, 1,000 of three weeks by default.

The class is drawn from a seed (`tests/support/classes.py`), and served by `grader desk` in a process of its own. Each
page is asked for many times, as a browser would, over one connection; what is counted is the time until all of it is
there. Before every fourth request something is decided, so that no page comes from what was worked out before. Then 200
works, each with an answer in a notebook and its plot, are graded through the pages' own forms, and a browser says when
it has painted. Where other programs keep the cores busy, the clock counts these, too: the last two columns are what the
server's thread itself computed for a request, the median and the 95th percentile, as the kernel counts it.
"""

from __future__ import annotations

import base64
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.gradebook import Gradebook  # noqa: E402
from grader.intake.answers.answers import Answers, Cell, Form, Kind, Piece, packed  # noqa: E402
from tests.support.browsers import chromium  # noqa: E402
from tests.support.classes import make_class  # noqa: E402
from tests.support.desks import CODE, PLOTS, STYLE  # noqa: E402
from tests.support.pictures import png  # noqa: E402

ROUNDS, MANUAL, REQUESTS = 60, 200, 4_900
PAINT = 'performance.getEntriesByName("first-contentful-paint")[0].startTime'


def main(students: int) -> None:
    """Print how long pages take, in milliseconds."""
    folder = Path(tempfile.mkdtemp(prefix="desk-pages-"))
    try:
        _measure(folder, students)
    finally:
        shutil.rmtree(folder)


def _measure(folder: Path, students: int) -> None:
    check, reports = _fill(folder, students)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{students} students, {reports} reports\n")
    start = time.monotonic()
    process, entry = _served(folder)
    base = entry.partition("/enter")[0]
    try:
        with httpx.Client(base_url=base, headers={"origin": base}, timeout=120, follow_redirects=True) as client:
            client.get(entry)
            print(f"until the first page is there: {time.monotonic() - start:.1f} s\n")
            print(f"{'page':<34}{'median':>8}{'p95':>8}{'KB':>8}{'CPU':>8}{'p95':>8}")
            for name, path in _pages(students, check).items():
                _print_page(client, name, path, process.pid)
            _print_manual(client)
        _print_paint(entry, base)
    finally:
        process.terminate()
        process.wait()


def _fill(folder: Path, students: int) -> tuple[str, int]:
    made = make_class(students)
    with Gradebook(folder / "gradebook.sqlite", copies=False) as book:
        book.save_people([replace(person, key=0) for person in made.people])
        book.record_weeks({"week5": [STYLE, PLOTS]})
        for number, report in enumerate(made.reports):
            plain = replace(report, adjustments=(), manual=(), excused="", delivery=None, submission=f"{number:064x}")
            book.record(plain)
            book.record_sources(
                plain.submission, {"lenet.py": (CODE * 12).encode(), "training.py": (CODE * 6).encode()}
            )
            if plain.week == "week5":
                book.record_answers(plain.student, plain.week, *reversed(packed(_answers(number))))
        for problem in made.problems:
            book.record_problem(problem.student, problem.week, problem.message)
        with book.changing("tina") as change:
            for number in range(REQUESTS):
                asked = {"task": "5.3", "text": f"please look again {number}", "asked": change.at, "state": "open"}
                change.put("requests", {"person": number % students + 1, "week": "week5", **asked})
            change.note("imported")
    lost = next(one for one in made.reports if one.week == "week5").checks[1].id
    return lost, len(made.reports)


def _answers(number: int) -> Answers:
    """Make an answer of some words, and of a plot as large as Matplotlib's are."""
    picture = base64.b64encode(png(640, 480, idat=random.Random(number).randbytes(30_000))).decode()
    cells = (
        Cell("week5.ipynb", 1, Kind.MARKDOWN, "## Plots\n" + "The loss falls. " * 20, parts=("plots", "style")),
        Cell("week5.ipynb", 2, Kind.CODE, CODE, (Piece(Form.PNG, picture),), ("plots", "style")),
    )
    return Answers(("plots", "style"), cells)


def _served(folder: Path) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "grader", "desk", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, next(line for line in process.stdout if "token=" in line).split()[1]


def _pages(students: int, check: str) -> dict[str, Callable[[], str]]:
    drawn = random.Random(0)

    def work(page: str) -> Callable[[], str]:
        return lambda: f"/{page}/{drawn.randint(1, students)}/week5"

    return {
        "class": lambda: "/",
        "class, searched": lambda: f"/?q={drawn.choice(('mu', 'silva', 'timeout', '24'))}&sort=-total",
        "class, a section that needs a look": lambda: "/?section=B&work=look&week=week5",
        "student and week": work("work"),
        "check, in groups": lambda: f"/check/week5?id={check}",
        "manual part": lambda: "/manual/week5/style",
        "figures": lambda: "/figures/week5",
        "attempts": work("attempts"),
        "requests": lambda: "/requests",
        "sharing": lambda: "/sharing",
        "log": lambda: "/log",
        "what a student gets": lambda: f"{work('report')()}/report.html",
        "next of mine": lambda: "/next",
    }


def _computed(pid: int) -> float:
    """Return how many milliseconds a process's main thread has computed; the kernel counts nanoseconds."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6


def _print_page(client: httpx.Client, name: str, path: Callable[[], str], desk: int) -> None:
    times, computed, size = [], [], 0
    for number in range(ROUNDS):
        if number % 4 == 0:
            _decide(client)
        while True:
            before, start = _computed(desk), time.perf_counter()
            answer = client.get(path())
            took = time.perf_counter() - start
            if answer.status_code != 404:  # that student has handed in nothing
                break
        times.append(1000 * took)
        computed.append(_computed(desk) - before)
        size = max(size, len(answer.content))
    p95, most = (statistics.quantiles(found, n=20)[-1] for found in (times, computed))
    print(
        f"{name:<34}{statistics.median(times):>8.0f}{p95:>8.0f}{size / 1000:>8.0f}"
        f"{statistics.median(computed):>8.0f}{most:>8.0f}",
        flush=True,
    )


def _form(page: str, name: str) -> dict[str, str]:
    found = re.search(rf'<form [^>]*id="{name}"[^>]*>(.*?)</form>', page, re.DOTALL)
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', found[1] if found else "")
    return {key: unescape(value) for key, value in fields}


def _decide(client: httpx.Client) -> None:
    page = client.get("/manual/week5/plots")
    client.post("/do/points", data=_form(page.text, "rubric") | {"points": "3"})


def _print_manual(client: httpx.Client) -> None:
    page = client.get("/manual/week5/style")
    times = []
    for number in range(MANUAL):
        start = time.perf_counter()
        fields = _form(page.text, "rubric") | {"item": "names", "why": f"remark {number % 9}"}
        page = client.post("/do/points", data=fields)
        assert page.status_code == 200, page.text
        times.append(1000 * (time.perf_counter() - start))
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"\n{MANUAL} works graded in {sum(times) / 1000:.1f} s: saved, and the next one shown, in "
          f"{statistics.median(times):.0f} ms, p95 {p95:.0f}")  # fmt: skip


def _print_paint(entry: str, base: str) -> None:
    from playwright.sync_api import sync_playwright

    print("\nfirst contentful paint in Chromium, of three loads each")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(entry)
        page.wait_for_url(f"{base}/")
        for path in ("/", "/work/1/week5", "/manual/week5/style"):
            paints = []
            for _ in range(3):
                page.goto(base + path)
                page.wait_for_timeout(300)
                paints.append(page.evaluate(PAINT))
            print(f"{path:<34}{statistics.median(paints):>8.0f}{max(paints):>8.0f}")
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
