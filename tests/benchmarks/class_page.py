"""Measures the class page in Chromium: `python tests/benchmarks/class_page.py [STUDENTS]`, 1,000 by default.

The class of three weeks is drawn from a seed (`tests/support/classes.py`). Its page is opened from the disk, by a
browser that was just started. How long it takes until something is painted, and until the page is loaded and can be
used, is what the browser says itself. A search, a filter, a section and a sort are measured from the event on, until
the page is laid out again. Where other programs keep the cores busy, the clock counts these, too: the last column is
what the page's own thread computed.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from grader.reports.class_page import class_page_html  # noqa: E402
from tests.support.browsers import chromium  # noqa: E402
from tests.support.classes import make_class  # noqa: E402

SEARCHES = ("m", "mu", "muller", "2417", "s7@uni", "timeout", "nobody at all", "")
LOADED = """() => {
    const page = performance.getEntriesByType("navigation")[0];
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    return { "first contentful paint": paint.startTime, "until it can be used": page.loadEventEnd };
}"""
# Sets a field as a person does, and has the browser lay the page out before the clock stops.
SET = """([id, value]) => {
    const field = document.getElementById(id), start = performance.now();
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    document.body.getBoundingClientRect();
    return performance.now() - start;
}"""
SORT = """(place) => {
    const button = document.querySelectorAll("#students thead button")[place], start = performance.now();
    button.click();
    document.body.getBoundingClientRect();
    return performance.now() - start;
}"""


def main(students: int, rounds: int = 3) -> None:
    """Print how long each step takes, in milliseconds: the median and the longest of so many rounds."""
    made = make_class(students)
    start = time.process_time()
    page = class_page_html(made.reports, made.problems, made.people)
    written = time.process_time() - start
    size = len(page.encode()) / 1e6
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{students} students, {len(made.reports)} reports; {size:.1f} MB, made in {written:.1f} CPU s\n")
    found: dict[str, list[Taken]] = {}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        path = Path(name) / "index.html"
        path.write_text(page, encoding="utf-8")
        for _ in range(rounds):
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            if not found:
                print(f"Chromium {browser.version}")
            for step, taken in _measured(browser.new_page(), path).items():
                found.setdefault(step, []).extend(taken)
            browser.close()
    print(f"{'ms':>28}{'median':>10}{'longest':>10}{'median CPU':>12}")
    for step, taken in found.items():
        wall, cpu = [one.wall for one in taken], [one.cpu for one in taken]
        print(f"{step:>28}{statistics.median(wall):10.0f}{max(wall):10.0f}{statistics.median(cpu):12.0f}")


class Taken(NamedTuple):
    """What a step took, in milliseconds: by the clock, and of the page's thread."""

    wall: float
    cpu: float


def _measured(page: Any, path: Path) -> dict[str, list[Taken]]:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def cpu() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(1000 * one["value"] for one in metrics if one["name"] == "TaskDuration")

    def taken(script: str, argument: object) -> Taken:
        before = cpu()
        wall = page.evaluate(script, argument)
        return Taken(wall, cpu() - before)

    page.goto(path.as_uri(), wait_until="load")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    loading = cpu()
    found = {step: [Taken(value, loading)] for step, value in page.evaluate(LOADED).items()}
    found["search"] = [taken(SET, ["filter", text]) for text in SEARCHES]
    found["missing in any week"] = [taken(SET, ["show", value]) for value in ("nothing handed in", "")]
    found["section"] = [taken(SET, ["section", value]) for value in ("1", "2", "0")]
    found["sort"] = [taken(SORT, place) for place in (0, 2, 0)]
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
