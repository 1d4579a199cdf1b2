"""Runs one probe beside the student's code, and describes what it raised in the student's own terms."""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .generators import seed_everything
from .modules import ModuleEnded

MOST_FRAMES = 6
LONGEST_MESSAGE = 2000
# Addresses and the names of temporary files change from run to run, and a report must not.
_ADDRESS, _TEMPORARY = re.compile(r"0x[0-9a-fA-F]{6,}"), re.compile(r"\btmp[a-z0-9_]{8}\b")
_NO_MEMORY = ("can't allocate memory", "bad_alloc", "CUDA out of memory", "CUDA error: out of memory")
_CHECKS = re.compile(r"(test_\w+|probes\w*|conftest)\.py")  # at a student's desk they lie beside the student's files


def call(probe: Callable[..., Any], student: Any, seed: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run the probe; return its evidence, not yet encoded."""
    seed_everything(seed)
    return probe(student, *args, **kwargs)


def outcome_of(error: BaseException) -> str:
    """Name the outcome that an exception of the student's code stands for."""
    text = message_of(error)
    if isinstance(error, ModuleEnded):
        return error.outcome
    if isinstance(error, NotImplementedError) and text.startswith("TODO"):
        return "todo"
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(part in text for part in _NO_MEMORY)):
        return "memory"
    return "error"


def message_of(error: BaseException) -> str:
    """Return `str(error)`, cut, even where the student's exception class cannot be printed."""
    try:
        return _TEMPORARY.sub("tmp…", _ADDRESS.sub("0x…", str(error)[:LONGEST_MESSAGE]))
    except BaseException:
        return "(an exception whose text cannot be shown)"


def describe(error: BaseException, folder: Path) -> dict[str, Any]:
    """Describe an exception as plain data: type, message, and the frames in the student's own files."""
    frames = _frames(error.__traceback__, folder)
    if isinstance(error, SyntaxError) and error.filename and folder in Path(error.filename).parents:
        frames.append(_place(Path(error.filename), folder, error.lineno or 0, "", (error.text or "").strip()))
    return {
        "outcome": outcome_of(error),
        "type": type(error).__name__,
        "message": error.msg if isinstance(error, SyntaxError) else message_of(error),
        "frames": frames[-MOST_FRAMES:],
    }


def _frames(trace: TracebackType | None, folder: Path) -> list[dict[str, Any]]:
    found = []
    for frame, line in traceback.walk_tb(trace):
        file = Path(frame.f_code.co_filename)
        if folder in file.parents and not _CHECKS.fullmatch(file.name):
            code = linecache.getline(str(file), line).strip()
            found.append(_place(file, folder, line, frame.f_code.co_name, code))
    return found


def _place(file: Path, folder: Path, line: int, function: str, code: str) -> dict[str, Any]:
    return {
        "file": file.relative_to(folder).as_posix(),
        "line": line,
        "function": function,
        "code": code[:200],
    }
