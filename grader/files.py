"""Writes files so that no reader ever sees half of one."""

from __future__ import annotations

import os
from pathlib import Path

from grader.errors import GraderError

_HALF = ".tmp"


def remove_halves(folder: Path) -> None:
    """Remove the files that a killed run had written in half."""
    for half in folder.glob(f".*{_HALF}"):
        half.unlink(missing_ok=True)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a text as UTF-8, or bytes, so that `path` holds either what it held before or all of it."""
    # Within JSON the replacement of a lone surrogate is the escape for that very character.
    raw = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    half = path.with_name(f".{path.name}.{os.getpid()}{_HALF}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            half.write_bytes(raw)
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        raise GraderError(f"{path}: cannot be written ({error.strerror})") from error
