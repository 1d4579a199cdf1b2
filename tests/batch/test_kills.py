"""A class while something of the grader is killed all the time: parent, judges, sandboxes, checks; the grades stay.

`GRADER_KILLS=100` kills that often in each sandbox instead of four times, `GRADER_KILLS_SEED=7` at other moments.
"""

from __future__ import annotations

import os
import queue
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from grader.batch import run
from grader.gradebook import Gradebook
from grader.reports.pages import write_report
from grader.results import Report
from tests.support import amount, sandboxes
from tests.support.courses import copied
from tests.support.reports import timeless

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("GRADER_KILLS", amount.of("4", "40")))
SEED = int(os.environ.get("GRADER_KILLS_SEED", "0"))
STUDENTS = max(18, 2 * KILLS)
WORK = (
    "def double(n):\n    return 2 * n\n",
    "def double(n):\n    return n + 2\n",
    "def double(n):\n    if n == 3:\n        raise ValueError(n)\n    return 2 * n\n",
    "import os\n\ndef double(n):\n    if n == 2:\n        os.kill(os.getpid(), 9)\n    return 2 * n\n",
    "import os\n\ndef double(n):\n    if n == 4:\n        os._exit(3)\n    return 2 * n\n",
    "import time\n\ntime.sleep(0.1)\n\ndef double(n):\n    return 2 * n\n",
)


@pytest.fixture(scope="module")
def slow_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    works = [f"{WORK[number % len(WORK)]}\n# {number}\n" for number in range(STUDENTS)]
    handed_in = {f"submissions/student{number:03}/work.py": text for number, text in enumerate(works)}
    return copied("slow", tmp_path_factory.mktemp("course"), handed_in)


@dataclass
class Run:
    """`python -m grader batch` with judges that start quickly, and its lines as they come."""

    process: subprocess.Popen[str]
    lines: list[str]
    news: queue.SimpleQueue[str | None]

    @classmethod
    def start(cls, course: Path, out: Path, sandbox: str) -> Run:
        folder = out.parent / "tmp"
        folder.mkdir(exist_ok=True)
        options = ["--jobs", "2", "--out", out, "--sandbox", sandbox]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.quick", "batch", "submissions", *options],
            cwd=course,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        run = cls(process, [], queue.SimpleQueue())
        threading.Thread(target=run.read, daemon=True).start()
        return run

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self.news.put(line)
        self.news.put(None)

    def wait_for_grades(self, count: int) -> bool:
        """Wait until so many more submissions are graded; False where the run ends before."""
        while count:
            line = self.news.get(timeout=120)
            if line is None:
                return False
            count -= line.startswith("[")
        return True

    def end(self) -> int:
        """Wait for the end, and for the last line."""
        while self.news.get(timeout=120) is not None:
            pass
        return self.process.wait()


def tree(run: Run) -> list[psutil.Process]:
    parent = psutil.Process(run.process.pid)
    return [parent, *parent.children(recursive=True)]


def part(process: psutil.Process) -> str:
    """Name the part of the process tree that a process plays."""
    command = " ".join(process.cmdline())
    if "tests.support.quick batch" in command:
        return "parent"
    if "grader.judging.fork_server" in command:
        return "judge"
    return "bwrap" if "bwrap" in command.partition(" ")[0] else "worker"


def kill_one(run: Run, chance: random.Random) -> psutil.Process | None:
    """Kill one process by SIGKILL, each part of the process tree equally often; return None if it was too late."""
    by_part: dict[str, list[psutil.Process]] = {}
    try:
        for process in tree(run):
            if process.status() != psutil.STATUS_ZOMBIE:
                by_part.setdefault(part(process), []).append(process)
        victim = chance.choice(by_part[chance.choice(sorted(by_part))])
        print(f"{time.monotonic():.2f} kills {part(victim)} {victim.pid}")
        victim.kill()
    except (psutil.NoSuchProcess, IndexError):
        return None
    return victim


def disturbed(course: Path, out: Path, sandbox: str, chance: random.Random) -> Run:
    """The last of the runs that it takes to grade a class under so many kills."""
    run, kills = Run.start(course, out, sandbox), 0
    seen: list[psutil.Process] = []
    while kills < KILLS:
        # Some at any moment of the start, the others at any moment of the work.
        if chance.random() < 0.25:
            time.sleep(chance.uniform(0, 4))
        elif not run.wait_for_grades(chance.randint(0, 2)):
            break
        time.sleep(chance.uniform(0, 0.3))
        if run.process.poll() is None:
            seen += tree(run)
        victim = kill_one(run, chance)
        kills += victim is not None
        if victim and victim.pid == run.process.pid:
            run.end()
            assert psutil.wait_procs(seen, timeout=20)[1] == [], "something outlives the parent"
            run = Run.start(course, out, sandbox)
    assert kills >= KILLS / 2, "the class was graded too fast for this test: let it have more students"
    print(f"{kills} kills")
    return run


def reports(out: Path) -> list[Report]:
    with Gradebook(out / "gradebook.sqlite") as book:
        assert book.problems() == []
        current = book.current()
        attempts = {report.student: len(book.history(report.student, report.week)) for report in current}
    assert set(attempts.values()) == {1}
    assert len(attempts) == STUDENTS
    return current


@pytest.fixture(scope="module")
def undisturbed(slow_root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Report]:
    """The reports of the class when nobody kills anything."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert Run.start(slow_root, out, "auto").end() == 0
    return [replace(timeless(report), seed=0) for report in reports(out)]


@pytest.mark.usefixtures("cold_start")  # who is killed, and what a kill leaves, are the kit's own processes
@pytest.mark.parametrize(
    "sandbox", ["process", pytest.param("bwrap", marks=amount.in_full("without a sandbox a kill leaves more behind"))]
)
def test_no_kill_loses_or_doubles_a_grade(
    slow_root: Path, undisturbed: list[Report], tmp_path: Path, sandbox: str
) -> None:
    sandboxes.named(sandbox)
    before = set(psutil.Process().children())
    print(f"seed {SEED}")
    run = disturbed(slow_root, tmp_path / "out", sandbox, random.Random(f"{SEED} {sandbox}"))
    assert run.end() == 0, run.lines
    assert any(re.fullmatch(r"graded \d+, unchanged \d+, not gradable 0", line) for line in run.lines), run.lines
    assert psutil.wait_procs(set(psutil.Process().children()) - before, timeout=20)[1] == []
    assert list((tmp_path / "tmp").iterdir()) == []
    final = reports(tmp_path / "out")
    assert len({report.seed for report in final}) == 1  # each run went on with the seed of the one before
    assert [replace(timeless(report), seed=0) for report in final] == undisturbed
    for report in final:
        write_report(report, tmp_path / "anew" / "students" / report.student / report.week)
    write_class(tmp_path / "out", tmp_path / "anew")
    assert files(tmp_path / "out") == files(tmp_path / "anew")


def write_class(out: Path, anew: Path) -> None:
    shutil.copy(out / "gradebook.sqlite", anew)
    with Gradebook(anew / "gradebook.sqlite") as book:
        run.write_class(book, anew)


def files(out: Path) -> dict[str, bytes]:
    """Every file below a folder, with its content."""
    found = [path for path in out.rglob("*") if path.is_file()]
    return {str(path.relative_to(out)): path.read_bytes() for path in found}
