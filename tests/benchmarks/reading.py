"""Measures what it takes to read a class: `python tests/benchmarks/reading.py [SUBMISSIONS]`, 200 by default.

The sample class is copied, each copy with changes of its own, so that every form of a submission is there. Then three
runs are measured, each in a process of its own, in which nobody judges: a dry run; a first run, until the first job and
until the last one is handed out; and a second run, in which nothing is to grade. CPU seconds and memory are the
parent's own.
"""

from __future__ import annotations

import io
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.batch.run import BatchOptions, find_class, grade_class  # noqa: E402
from grader.course import Course  # noqa: E402
from grader.intake import load  # noqa: E402
from grader.judging.job import Job, Ungraded  # noqa: E402
from grader.reports.progress import Progress  # noqa: E402
from grader.results import CheckResult, Outcome, Report  # noqa: E402
from grader.version import VERSION  # noqa: E402

SAMPLES = ROOT / "fixtures" / "submissions"
RUNS = ("dry run", "first run", "second run")
BEGIN = time.process_time(), time.monotonic()  # once everything is imported


def main(count: int, rounds: int = 3) -> None:
    """Print what was measured, the best of so many rounds."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {count} submissions\n")
    print(f"{'':>34}{'CPU s':>10}{'wall s':>10}{'MiB':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_class(folder / "class", count)
        for run in RUNS:
            best: dict[str, list[float]] = {}
            for _ in range(rounds):
                if run == "first run":
                    shutil.rmtree(folder / "reports", ignore_errors=True)
                for what, figures in _measured(run, folder).items():
                    best[what] = min(best.get(what, figures), figures)
            for what, (cpu, wall, memory) in best.items():
                print(f"{what:>34}{cpu:10.2f}{wall:10.2f}{memory:10.0f}", flush=True)


def make_class(folder: Path, count: int) -> None:
    """So many submissions, of the sample class' forms, no two alike."""
    samples = sorted(path for path in SAMPLES.iterdir() if path.is_dir() or path.suffix in (".zip", ".ipynb", ".py"))
    for number in range(count):
        sample = samples[number % len(samples)]
        copy = folder / f"{sample.stem} {number:05}{sample.suffix}"
        if not sample.is_dir():
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(_changed(sample.name, sample.read_bytes(), number))
            continue
        for file in (file for file in sample.rglob("*") if file.is_file()):
            target = copy / file.relative_to(sample)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_changed(file.name, file.read_bytes(), number))


def _changed(name: str, raw: bytes, number: int) -> bytes:
    """A file with a comment that no other submission has."""
    comment = f"\n# {number}\n"
    if name.endswith(".py"):
        return raw.rstrip() + comment.encode("utf-16-le" if b"\0" in raw else "ascii")
    if name.endswith(".ipynb"):
        notebook = json.loads(raw)
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        code[-1]["source"] = "".join(code[-1]["source"]) + comment
        return json.dumps(notebook).encode()
    return _changed_zip(raw, number) if name.endswith(".zip") else raw


def _changed_zip(raw: bytes, number: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, _changed(member.filename, old.read(member), number))
    return buffer.getvalue()


def _measured(run: str, folder: Path) -> dict[str, list[float]]:
    command = [sys.executable, __file__, run, str(folder)]
    found: dict[str, list[float]] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


class NoJudge:
    """A backend that takes all jobs, notes when they came, and says of each that it was passed."""

    says, confined = "nobody judges", True

    def __init__(self, course: Course) -> None:
        self._digests = {week: assignment.digest for week, assignment in course.assignments().items()}
        self.seen: dict[str, list[float]] = {}

    def prepare(self, weeks: Sequence[str], count: int) -> None: ...

    def run(self, jobs: Iterable[Job], weeks: Sequence[str]) -> Generator[Report | Ungraded, None, None]:
        """Draw all jobs before the first result, so that writing reports is not measured."""
        reports = []
        for job in jobs:
            if not reports:
                self.seen["first run, until the first job"] = figures()
            check = CheckResult("test.py::test", "1", "A test", False, 1, 1, Outcome.PASSED, "")
            digest = self._digests[job.week]
            reports.append(Report(job.student, job.week, job.seed, VERSION, job.digest, digest, (check,)))
        self.seen["first run, until the last job"] = figures()
        yield from reports

    def close(self) -> None: ...


def figures() -> list[float]:
    """CPU seconds, seconds by the clock and the most MiB, since `BEGIN`."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu, wall = BEGIN
    return [used.ru_utime + used.ru_stime - cpu, time.monotonic() - wall, used.ru_maxrss / 1024]


def once(run: str, folder: Path) -> None:
    """Do one run, and print as JSON what it took."""
    course = Course(ROOT)
    options = BatchOptions(folder / "class", folder / "reports")
    if run == "dry run":
        for candidate in find_class(course, options)[0].candidates:
            if not candidate.problem:
                load(candidate)
        print(json.dumps({run: figures()}))
        return
    backend = NoJudge(course)
    grade_class(course, options, backend, Progress(Console(file=io.StringIO()), "", warns=False))
    print(json.dumps(backend.seen if run == "first run" else {run: figures()}))


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in RUNS:
        once(sys.argv[1], Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
