"""Runs of `batch` from the command line: as processes, or in this one with judges that pass everything."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader.cli.main import main
from grader.course import Course
from tests.support.backends import ONE_CHECK, Passing
from tests.support.makers import put

ROOT = Path(__file__).parents[2]


def start(course: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.quick", "batch", "submissions", "--jobs", "1", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=course, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=take_interrupts,  # noqa: PLW1509 - these tests start no threads
    )  # fmt: skip


def take_interrupts() -> None:
    """Take Ctrl-C also where the tests themselves run in the background of a script, which has it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"the run ended without {text!r}")


def batch(root: Path, *options: str, roster: str = "") -> tuple[int, str]:
    """Grade the submissions without a sandbox, with this text as the roster; return the status and the output."""
    if roster:
        put(root / "roster.csv", roster.encode())
        options = (*options, "--roster", "roster.csv")
    return finish(start(root, "--sandbox", "process", *options))


def batch_unjudged(root: Path, *options: str, roster: str = "", folder: str = "submissions") -> tuple[int, str]:
    """Do the same in this process and in a second: what is handed in passes the check of the course `one_check`."""
    if roster:
        put(root / "roster.csv", roster.encode())
        options = (*options, "--roster", "roster.csv")
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        patch.chdir(root)
        patch.setattr("grader.cli.batch.LocalBackend", lambda *_: Passing(Course(root), check=ONE_CHECK))
        status = main(["batch", folder, "--sandbox", "process", *options])
    return status, said.getvalue()


def rows(root: Path) -> dict[str, dict[str, str]]:
    """Return the rows of grades.csv, by student."""
    with (root / "reports" / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def grades(course: Path) -> dict[str, str]:
    return {student: row["total"] for student, row in rows(course).items()}
