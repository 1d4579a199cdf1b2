"""Has a student's modules imported in a process where only the allowed libraries are, in a folder of their own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.files import lay_out
from grader.inside import says

SECONDS = 120  # for all modules; the first import of torch takes long on a busy machine
_PROGRAM = Path(__file__).with_name("trial.py")  # by its file: what our packages import is not to be there
_ANSWERS = ({"begins"}, {"module"}, {"module", "lacks"}, {"module", "missing", "outcome", "type", "message", "frames"})
_ROOT = Path(__file__).resolve().parents[3]


def failures(
    files: Mapping[str, bytes], modules: Iterable[str], libraries: Iterable[str], week: str, known: Iterable[str] = ()
) -> list[str]:
    """Say in a line each which modules cannot be imported. `known` are lines in which a cause may be told already."""
    with tempfile.TemporaryDirectory(prefix="imports-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve() / week
        folder.mkdir()
        lay_out(files, folder)
        there = [module for module in modules if f"{module}.py" in files or f"{module}/__init__.py" in files]
        request = {"folder": str(folder), "modules": there, "libraries": [*libraries]}
        told = "\n".join(known)
        return list(dict.fromkeys(line for line in _lines(_answers(request), told) if line))


def _answers(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_PROGRAM)],
            input=json.dumps(request), capture_output=True, timeout=SECONDS, check=False, encoding="utf-8",
            errors="replace", cwd=request["folder"],  # as where it is graded: nothing else lies beside it
            env={**os.environ, "MPLBACKEND": "agg", "PYTHONBREAKPOINT": "0", "PYTHONPATH": str(_ROOT)},
        )  # fmt: skip
        said = done.stdout
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode("utf-8", "replace")
    return [answer for line in said.splitlines() if (answer := _answer(line)) is not None]


def _answer(line: str) -> dict[str, Any] | None:
    """Read a line of the program; None where the student's code has written it, or it was cut."""
    with contextlib.suppress(ValueError, RecursionError):
        answer = json.loads(line)
        if isinstance(answer, dict) and set(answer) in _ANSWERS:
            return answer
    return None


def _lines(answers: Iterable[Mapping[str, Any]], told: str) -> Iterator[str]:
    begun = ""
    for answer in answers:
        begun = answer.get("begins", "")
        if isinstance(lacks := answer.get("lacks"), list):
            yield from map(str, lacks)
        if "message" in answer and not begun:
            yield _failure(answer, told)
    if begun:
        yield f"{begun}.py: {says('its import ends the process, or does not end, so nothing in it earns points')}"


def _failure(answer: Mapping[str, Any], told: str) -> str:
    """Word why a module cannot be imported; nothing where a line says so already, or it is still to do."""
    missing, frames = answer["missing"], answer["frames"]
    place = f"{frames[-1]['file']}:{frames[-1]['line']}" if frames else f"{answer['module']}.py"
    if answer["outcome"] == "todo" or (missing and f"imports {missing}" in told) or f"{place}: Python cannot" in told:
        return ""
    if missing:
        return f"{place}: " + says(f"imports {missing}, which is not there where you are graded")
    return f"{place}: {says('importing it fails where you are graded')}: {answer['type']}: {answer['message']}"
