"""Finds hidden checks that draw nothing: they pass on what the reference has answered under another seed.

Who has learnt such a check's answers by heart would pass it. Evidence without numbers, such as names and shapes, is
about how the code is built, and is the same for everybody.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from grader.course import Assignment
from grader.errors import CourseError
from grader.pytest_plugin import shut_out

_SECONDS = 1800


def fixed_checks(assignment: Assignment) -> list[str]:
    """Return the ids of the hidden checks that pass on another seed's evidence."""
    command, environment = beside("grader.author.proof.drawing.session", assignment)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=_SECONDS, check=False)
    last = done.stdout.strip().rpartition("\n")[2]
    if done.returncode or not last.startswith("["):
        raise CourseError(f"{assignment.week}: its hidden checks cannot be run: {done.stderr.strip()[-500:]}")
    return [str(name) for name in json.loads(last)]


def beside(module: str, assignment: Assignment) -> tuple[list[str], dict[str, str]]:
    """Return the command and the environment of a program of ours that runs a week's checks on the reference."""
    root = assignment.root
    path = [str(root), str(Path(__file__).resolve().parents[4]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path)), "MPLBACKEND": "agg"}
    shut_out(environment)
    return [sys.executable, "-P", "-m", module, str(root), assignment.week], environment
