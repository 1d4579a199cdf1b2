"""What students run does without POSIX, and on consoles that have no blocks to draw bars with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.course import Course
from tests.support import amount, warm
from tests.support.courses import copied

ROOT = Path(__file__).parents[2]
LOOP = "def double(number):\n    while True:\n        pass\n\n\ndef index(n=0):\n    return n\n"


def elsewhere(folder: Path, *words: str, system: str = "windows") -> subprocess.CompletedProcess[str]:
    """Run a module of Python in a folder as on another system, with a console of Windows's western encoding."""
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "SIMULATED": system, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.support.windows", *words]
    return warm.run(command, cwd=folder, env=environment, encoding="cp1252")


def test_a_run_at_the_desk_needs_no_posix_and_stops_endless_loops(tmp_path: Path) -> None:
    root = copied("desk", tmp_path)
    checks = root / "assignments/week1/test_week1.py"
    checks.write_text(checks.read_text().replace('title="Twice a number"', 'title="Twice a number", seconds=1'))
    (root / "assignments/week1/lenet.py").write_text(LOOP)
    result = elsewhere(root, "pytest", "assignments/week1", "--task", "1.1", "-p", "no:cacheprovider")
    assert "timeout after 1 s: an endless loop" in result.stdout, result.stdout + result.stderr
    assert "lenet.py:" in result.stdout
    assert "1.1  0/20  .........." in result.stdout


@pytest.fixture
def handed_over(tmp_path: Path) -> Path:
    """A course in a folder whose name has a space and an accent, with work whose lines end as on Windows."""
    root = copied("one_check", tmp_path / "Übung 1")
    (root / "assignments/week1/work.py").write_bytes(b"def double(n):\r\n    return 2 * n\r\n")
    return root


def test_submit_check_reads_and_runs_the_work_without_judges(handed_over: Path) -> None:
    result = elsewhere(handed_over, "grader", "submit-check", "week1")
    assert "Public checks: 100 of 100 points." in result.stdout, result.stdout + result.stderr
    assert "week1 can be handed in." in result.stdout
    assert "NO security boundary" in result.stderr


def test_run_takes_a_zip_on_macos(handed_over: Path) -> None:
    work = handed_over / "work.zip"
    with zipfile.ZipFile(work, "w") as archive:
        archive.write(handed_over / "assignments/week1/work.py", "work.py")
    result = elsewhere(handed_over, "grader", "run", "week1", "--submission", "work.zip", system="macos")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1.1  100/100" in result.stdout


def test_doctor_says_what_works_without_judges(tmp_path: Path) -> None:
    result = elsewhere(tmp_path, "grader", "doctor")
    assert result.returncode == 1
    assert "strangers' code cannot be graded on this system" in result.stdout
    assert "ok:   torch" in result.stdout


def test_lessons_become_pages_without_posix(tmp_path: Path) -> None:
    root = copied("pages", tmp_path)
    result = elsewhere(root, "grader", "lessons", "primer", "--html", "out")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (root / "out" / "index.html").is_file()


def test_the_commands_of_students_need_no_posix(tmp_path: Path) -> None:
    code = "import grader.cli.student.watch, grader.cli.student.run, grader.cli.student.progress, grader.cli.author\n"
    code += "import grader.watching.warm, grader.watching.page, grader.watching.once, grader.pytest_plugin.ending\n"
    (tmp_path / "imports.py").write_text(f"{code}print('all are there')\n")
    result = elsewhere(tmp_path, "imports")
    assert (result.returncode, result.stdout) == (0, "all are there\n"), result.stderr


@amount.in_full("the desk's course stands for the weeks")
def test_every_week_runs_without_posix() -> None:
    weeks = [f"assignments/{week}" for week in Course(ROOT).assignments()]
    result = elsewhere(ROOT, "pytest", "-q", *weeks, "--submission", "solutions", "-p", "no:cacheprovider")
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("done") == len(re.findall(r"^\d+\.\d+ ", result.stdout, re.MULTILINE)) > 40
