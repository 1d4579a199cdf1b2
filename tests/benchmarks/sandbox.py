"""Measures what the sandbox costs, and what warm workers save: `python tests/benchmarks/sandbox.py [SUBMISSIONS]`.

First the machinery alone, with a probe that does nothing: one more check, one more submission. Then a class: a
loop that starts `python -m pytest` for each submission, against one judge of this kit, on the same public checks of
week 5 and the same submissions (the reference, changed by a comment). One run, one machine; quote the ratios.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.checks import load_probes  # noqa: E402
from grader.course import Course  # noqa: E402
from grader.errors import SandboxError  # noqa: E402
from grader.judging.job import Job  # noqa: E402
from grader.judging.judge_process import JudgeProcess  # noqa: E402
from grader.judging.remote_student import RemoteStudent  # noqa: E402
from grader.judging.submission_session import Session  # noqa: E402
from grader.results import Report  # noqa: E402
from grader.sandbox import Process, Sandbox, bubblewrap  # noqa: E402
from grader.sandbox.worker_client import Worker  # noqa: E402

T = TypeVar("T")
WEEK = "week5"
SUBMISSIONS, CHECKS = 15, 12  # for the machinery alone
MEMORY = 3 << 30


def main(count: int) -> None:
    """Print both tables."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory() as folder:
        course = _students_copy(Path(folder))
        print(f"{'machinery alone, median':40}{'one more check':>18}{'one more submission':>22}")
        for sandbox in _sandboxes():
            check, submission = _machinery(sandbox, course)
            print(f"{sandbox.name:40}{1000 * check:15.1f} ms{1000 * submission:19.1f} ms")
        _class(course, count)


def _sandboxes() -> Iterator[Sandbox]:
    yield Process()
    try:
        yield bubblewrap()
    except SandboxError as error:
        print(f"(no bubblewrap: {error})")


def _students_copy(folder: Path) -> Path:
    """The course without solutions, so that both ways run the public checks alone."""
    course = folder / "course"
    for name in ("assignments", "fixtures"):
        shutil.copytree(ROOT / name, course / name, ignore=shutil.ignore_patterns("__pycache__", "submissions"))
    return course


def _files(mark: int = 0) -> dict[str, bytes]:
    modules = Course(ROOT).assignment(WEEK).modules
    sources = {f"{module}.py": (ROOT / "solutions" / WEEK / f"{module}.py").read_bytes() for module in modules}
    return {name: source + b"\n# submission %d\n" % mark for name, source in sources.items()}


def _machinery(sandbox: Sandbox, course: Path) -> tuple[float, float]:
    """Seconds for a check whose probe does nothing, and for a submission without checks, its modules imported once."""
    (course / "nothing").mkdir(exist_ok=True)
    (course / "nothing" / "probes.py").write_text("def nothing(student):\n    return None\n")
    probe = load_probes(str(course / "nothing" / "test_nothing.py")).nothing
    worker = Worker(sandbox)
    modules = Course(ROOT).assignment(WEEK).modules
    with contextlib.closing(worker):
        worker.keeper(WEEK, _files(), MEMORY).close()  # starts the worker
        checks, submissions = [], []
        for _ in range(SUBMISSIONS):
            submission, opened = _timed(lambda: Session(worker, WEEK, _files(), modules, MEMORY))
            for _ in range(CHECKS):
                student = RemoteStudent(submission, 1, 20.0)
                checks.append(_timed(lambda student=student: (student.run(probe), student.close()))[1])
            submissions.append(opened + _timed(submission.close)[1])
    return statistics.median(checks), statistics.median(submissions)


def _timed(body: Callable[[], T]) -> tuple[T, float]:
    begin = time.perf_counter()
    result = body()
    return result, time.perf_counter() - begin


def _class(course: Path, count: int) -> None:
    print(f"\n{f'{count} submissions, one after the other':40}{'seconds':>18}{'seconds each':>22}")
    naive = _timed(lambda: [_naive(course, number) for number in range(count)])[1]
    _row("a new `python -m pytest` for each", naive, count)
    for sandbox in _sandboxes():
        warm = _timed(lambda sandbox=sandbox: _judged(course, sandbox, count))[1]
        _row(f"one judge, {sandbox.name}, start included", warm, count)
        print(f"{'':40}{naive / warm:15.1f} × as fast")


def _row(name: str, seconds: float, count: int) -> None:
    print(f"{name:40}{seconds:18.1f}{seconds / count:22.2f}")


def _naive(course: Path, number: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in _files(number).items():
            (Path(folder) / name).write_bytes(content)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"assignments/{WEEK}"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        run = subprocess.run([*command, "--submission", folder], cwd=course, env=environment, capture_output=True)
        assert run.returncode == 0, run.stdout.decode()


def _judged(course: Path, sandbox: Sandbox, count: int) -> list[Report]:
    judge = JudgeProcess(course, [WEEK], sandbox)
    with contextlib.closing(judge):
        reports = [judge.grade(Job(f"s{n}", WEEK, _files(n), f"{n}", (), 0)) for n in range(count)]
    assert all(report.score == report.max_score for report in reports)
    return reports


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
