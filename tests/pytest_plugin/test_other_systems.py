"""What students run does without POSIX, and on consoles that have no blocks to draw bars with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import amount, windows
from tests.support.courses import copied

ROOT = Path(__file__).parents[2]
LOOP = "def double(number):\n    while True:\n        pass\n\n\ndef index(n=0):\n    return n\n"


def elsewhere(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python in a folder as on Windows, with a console of that system's western encoding."""
    return subprocess.run(
        [sys.executable, windows.__file__, *words],
        cwd=folder, capture_output=True, encoding="cp1252", env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip


def test_a_run_at_the_desk_needs_no_posix_and_stops_endless_loops(tmp_path: Path) -> None:
    root = copied("desk", tmp_path)
    checks = root / "assignments/week1/test_week1.py"
    checks.write_text(checks.read_text().replace('title="Twice a number"', 'title="Twice a number", seconds=1'))
    (root / "assignments/week1/lenet.py").write_text(LOOP)
    result = elsewhere(root, "pytest", "assignments/week1", "--task", "1.1", "-p", "no:cacheprovider")
    assert "timeout after 1 s: an endless loop" in result.stdout, result.stdout + result.stderr
    assert "lenet.py:" in result.stdout
    assert "1.1  0/20  .........." in result.stdout


def test_the_commands_of_students_need_no_posix() -> None:
    code = "import sys; sys.argv[1:] = ['x']; from tests.support.windows import refuse; refuse()\n"
    code += "import grader.cli.student.watch, grader.cli.student.run, grader.cli.student.progress, grader.cli.author\n"
    code += "import grader.watching.warm, grader.watching.page, grader.watching.once, grader.pytest_plugin.ending\n"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@amount.in_full("the desk's course stands for the weeks")
@pytest.mark.parametrize("week", ["week4", "week5", "week6"])
def test_every_week_runs_without_posix(week: str) -> None:
    result = elsewhere(ROOT, "pytest", "-q", f"assignments/{week}", "--submission", f"solutions/{week}")
    assert result.returncode == 0, result.stdout
    assert "60/60" in result.stdout
