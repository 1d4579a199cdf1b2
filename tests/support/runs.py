"""Runs of `batch` from the command line, as processes."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

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


def rows(root: Path) -> dict[str, dict[str, str]]:
    """Return the rows of grades.csv, by student."""
    with (root / "reports" / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def grades(course: Path) -> dict[str, str]:
    return {student: row["total"] for student, row in rows(course).items()}
