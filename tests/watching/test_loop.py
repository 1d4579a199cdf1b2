"""The watcher runs again what a save can touch, and outlives whatever the code does."""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from grader.course import Course
from grader.results import CheckResult, Outcome
from grader.watching import runs, spares
from grader.watching.loop import Desk
from grader.watching.once import check_once
from grader.watching.screen import Shown
from tests.support import warm
from tests.support.courses import copied

PATIENCE = 120.0  # seconds for a process to import torch on a busy machine
MORE = "import work\n\n\ndef triple(n):\n    return work.double(n) + n\n"
WORK = "def double(n):\n    return 2 * n\n"
HOSTILE = {
    "hangs, whatever interrupts it": (
        "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
        Outcome.TIMEOUT,
    ),
    "floods": ("while True: print('spam ' * 100)", Outcome.TIMEOUT),
    "floods past Python": ("import os\n    while True: os.write(1, b'spam' * 1000)", Outcome.TIMEOUT),
    "exits": ("import os; os._exit(0)", Outcome.KILLED),
    "exits as programs do": ("import sys; sys.exit(0)", Outcome.ERROR),
    "crashes": ("import ctypes; ctypes.string_at(0)", Outcome.KILLED),
    "forks, and both return": ("import os; os.fork(); return 9", Outcome.PASSED),
    "leaves processes behind": (
        "import os, time; os.fork() or os.fork() or time.sleep(600); return 9",
        Outcome.PASSED,
    ),
}


class Watched:
    """A desk under watch in a thread of the tests, with all that it has shown."""

    def __init__(self, root: Path, forks: bool) -> None:
        self.folder = root / "assignments" / "week1"
        self._ends: queue.Queue[list[CheckResult]] = queue.Queue()
        self.ran: set[str] = set()
        self._desk = Desk(Course(root), "week1", (), forks, self._show, lanes=1)
        self._thread = threading.Thread(target=self._desk.watch)
        self._thread.start()
        self.first = self._next()

    def _show(self, shown: Shown) -> None:
        if not shown.waiting:
            self.ran = {id.partition("::")[2] for id in shown.ran}
            self._ends.put(list(shown.results))

    def _next(self) -> dict[str, CheckResult]:
        return {result.id.partition("::")[2]: result for result in self._ends.get(timeout=PATIENCE)}

    def save(self, **sources: str) -> dict[str, CheckResult]:
        """Save some files, and wait for what comes of it."""
        for name, text in sources.items():
            (self.folder / f"{name}.py").write_text(text)
        self._desk.saved([f"{name}.py" for name in sources])
        return self._next()

    def end(self) -> None:
        self._desk.end()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bool], Watched]]:
    """Start a desk, or give back the one that is there: importing torch takes seconds.

    The one without forks has its processes forked all the same, by the tests. The other starts as students start it.
    """
    started: dict[bool, Watched] = {}

    def one(forks: bool) -> Watched:
        if forks not in started:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("PYTEST_ADDOPTS", "--for-other-runs")
                started[forks] = Watched(copied("watched", tmp_path_factory.mktemp("course")), forks)
        return started[forks]

    yield one
    for watched in started.values():
        watched.end()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "GRACE", 0.3)


def outcomes(results: dict[str, CheckResult]) -> list[Outcome]:
    return [result.outcome for result in results.values()]


def test_a_save_runs_what_it_can_touch_and_nothing_else(start: Callable[[bool], Watched]) -> None:
    desk = start(True)
    assert outcomes(desk.first) == [Outcome.PASSED] * 3
    results = desk.save(more="import work\n\n\ndef triple(n):\n    return work.double(n) + 2 * n\n")
    assert desk.ran == {"test_triple", "test_triple_nothing"}
    assert results["test_triple"].message.startswith("triple: wrong value")
    results = desk.save(more=MORE)
    assert outcomes(results) == [Outcome.PASSED] * 3


def test_what_needs_a_task_waits_for_it_though_it_did_not_run_again(start: Callable[[bool], Watched]) -> None:
    desk = start(True)
    results = desk.save(work="def double(n):\n    return 3 * n\n")
    assert desk.ran == {"test_double", "test_triple", "test_triple_nothing"}  # by way of `more`
    assert results["test_triple"].outcome is Outcome.SKIPPED
    assert outcomes(desk.save(work=WORK)) == [Outcome.PASSED] * 3


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("what", HOSTILE)
def test_nothing_that_the_code_does_ends_the_watcher(start: Callable[[bool], Watched], what: str) -> None:
    desk = start(True)
    code, outcome = HOSTILE[what]
    begin = time.monotonic()
    results = desk.save(more=f"def triple(n):\n    if n == 0: return 0\n    {code}\n")
    assert results["test_triple"].outcome is outcome, results["test_triple"].message
    assert outcomes(results)[::2] == [Outcome.PASSED] * 2
    assert len(results["test_triple"].output) < 2000
    assert time.monotonic() - begin < PATIENCE / 2
    assert outcomes(desk.save(more=MORE)) == [Outcome.PASSED] * 3
    assert not left_behind(desk)


def left_behind(desk: Watched) -> list[psutil.Process]:
    """Find processes of this desk that belong to nobody any more, as their parents have ended."""
    known = set(psutil.Process().children(recursive=True))
    root = str(desk.folder.parents[1])
    return [one for one in psutil.process_iter(["cmdline"]) if root in (one.info["cmdline"] or ()) and one not in known]


@pytest.mark.usefixtures("quick")
def test_a_module_that_ends_the_process_on_import_ends_it_once(start: Callable[[bool], Watched]) -> None:
    desk = start(True)
    results = desk.save(work=f"import os\nos._exit(1)\n{WORK}")
    assert results["test_double"].outcome is Outcome.KILLED
    assert "importing work.py ended the process" in results["test_double"].message
    assert outcomes(desk.save(work=WORK)) == [Outcome.PASSED] * 3


def test_without_forks_spare_processes_do_the_same(
    start: Callable[[bool], Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spares, "SPARE", 0)
    monkeypatch.setattr(spares, "subprocess", SimpleNamespace(Popen=warm.popen, PIPE=subprocess.PIPE))
    desk = start(False)
    assert outcomes(desk.first) == [Outcome.PASSED] * 3
    results = desk.save(
        work=f"{WORK}\n\ndef more(n):\n    pass\n",
        more="def triple(n):\n    import os; n or os._exit(0)\n    return 9\n",
    )
    assert outcomes(results) == [Outcome.PASSED, Outcome.PASSED, Outcome.KILLED]


def test_checks_find_what_lies_in_the_course_wherever_the_watcher_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spares, "subprocess", SimpleNamespace(Popen=warm.popen, PIPE=subprocess.PIPE))
    root = copied("watched", tmp_path / "course", {"own_numbers.py": "NINE = 9\n"})
    checks = root / "assignments/week1/test_week1.py"
    checks.write_text(f"from own_numbers import NINE\n{checks.read_text()}")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    files = {file.name: file.read_bytes() for file in (root / "assignments/week1").glob("[mw]o*.py")}
    results = check_once(Course(root).assignment("week1"), files)
    assert [result.outcome for result in results] == [Outcome.PASSED] * 3
