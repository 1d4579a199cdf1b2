"""Measures what a student waits for: `python tests/benchmarks/desk.py`, for each week.

`python -m pytest` runs a week's public checks on the reference. Its wall time is compared with what cannot be avoided:
a process that imports the same modules and no more, and the checks themselves (their probes and comparisons) in a warm
process. Each is the best of three, in turn.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from grader.author.proof.mutants import reference_files  # noqa: E402
from grader.course import Assignment, Course  # noqa: E402

ROUNDS = 3


def main() -> None:
    """Print the table."""
    print(f"{'':10}{'pytest s':>12}{'imports s':>12}{'checks s':>12}{'ratio':>8}")
    for week, assignment in Course(ROOT).assignments().items():
        with tempfile.TemporaryDirectory() as name:
            for file, content in reference_files(assignment).items():
                Path(name, file).write_bytes(content)
            whole, imports, checks = _measure(assignment, name)
        print(f"{week:10}{whole:12.2f}{imports:12.2f}{checks:12.2f}{whole / (imports + checks):8.2f}", flush=True)


def _measure(assignment: Assignment, submission: str) -> tuple[float, float, float]:
    """Seconds for pytest, for its imports alone, and for the checks alone."""
    command = [sys.executable, "-m", "pytest", *_arguments(assignment, submission)]
    look = [sys.executable, __file__, "--look", assignment.week, submission]
    found = json.loads(subprocess.run(look, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1])
    names = json.dumps(found["modules"])
    whole, imports = [], []
    for _ in range(ROUNDS):
        whole.append(_timed(command))
        imports.append(_timed([sys.executable, __file__, "--import", names]))
    return min(whole), min(imports), found["checks"]


def _timed(command: Sequence[str]) -> float:
    begin = time.monotonic()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def _arguments(assignment: Assignment, submission: str) -> list[str]:
    return ["-q", "-p", "no:cacheprovider", "--submission", submission, f"assignments/{assignment.week}"]


def _look(week: str, submission: str) -> None:
    """Run the checks several times here; print what they import, and how long the fastest run's checks took."""
    import pytest

    class Clock:
        seconds = 0.0

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_call(self) -> object:
            begin = time.monotonic()
            try:
                return (yield)
            finally:
                self.seconds += time.monotonic() - begin

    arguments = _arguments(Course(ROOT).assignment(week), submission)
    clocks = [Clock() for _ in range(ROUNDS)]
    modules: list[str] = []
    for clock in clocks:
        assert pytest.main(arguments, plugins=[clock]) == 0
        modules = modules or [name for name in sys.modules if _is_library(name)]
    print(json.dumps({"modules": modules, "checks": min(clock.seconds for clock in clocks)}))


def _is_library(name: str) -> bool:
    file = getattr(sys.modules[name], "__file__", None) or ""
    return not file.startswith(str(ROOT) + os.sep) or "site-packages" in file


def _import(names: Sequence[str]) -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # made while the program ran, not imported
            continue


MODES: dict[str, Callable[..., None]] = {"--look": _look, "--import": lambda names: _import(json.loads(names))}

if __name__ == "__main__":
    mode, *rest = sys.argv[1:] or [""]
    MODES.get(mode, main)(*rest)
