#!/usr/bin/env python3
"""Classroom 50's entry point for @WEEK@: it installs the course that lies beside it, and grades the checkout with it.

This bundle is public, so it holds the public checks alone; grade the hidden ones with `python -m grader batch`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

WEEK = "@WEEK@"
BUNDLE = Path(os.environ.get("CLASSROOM50_BUNDLE_DIR") or Path(__file__).resolve().parent)
COURSE = BUNDLE / "course"
TEMP = Path(os.environ.get("RUNNER_TEMP") or tempfile.mkdtemp(prefix="grader-"))
VENV = Path(os.environ.get("GRADER_VENV") or TEMP / "grader-venv")
SECONDS = 540  # Classroom 50 stops a test after 600


def main() -> int:
    """Install what is not there yet, then grade. Any status but 0 tells Classroom 50 that grading itself failed."""
    checkout = Path.cwd()
    python = VENV / "bin" / "python"
    if not python.exists():
        install(python)
    command = [str(python), "-P", "-m", "grader", "ci", WEEK, "--host", "classroom50", "--submission", str(checkout)]
    places = ["--sandbox", "@SANDBOX@", "--out", str(TEMP / "grader-report")]
    return subprocess.run([*command, *places], cwd=COURSE, timeout=SECONDS).returncode


def install(python: Path) -> None:
    """The sandbox, where it can be had, and a virtual environment with PyTorch for the CPU."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    for words in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-qy", "bubblewrap"],
        ["sysctl", "-q", "kernel.apparmor_restrict_unprivileged_userns=0"],
    ):
        run([*root, *words], check=False)  # without them the grader says what is missing
    run([sys.executable, "-I", "-m", "venv", str(VENV)])
    run([str(python), "-I", "-m", "pip", "install", "-q", "uv"])
    backend = os.environ.get("TORCH_BACKEND", "cpu")
    uv = [str(VENV / "bin" / "uv"), "--no-config", "pip", "install", "-q", "--python", str(python)]
    run([*uv, "--torch-backend", backend, "-e", str(COURSE)])


def run(words: list[str], check: bool = True) -> None:
    """Run a program away from the checkout: in it, Python, pip and uv would take a student's modules and settings."""
    subprocess.run(words, cwd=COURSE, check=check)


if __name__ == "__main__":
    sys.exit(main())
