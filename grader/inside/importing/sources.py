"""Loads students' source files; where Python cannot read one, says in which file and line, and why."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

from .. import says
from .lacking import go_on

LEFT_OUT = "__left_out__"  # where a module made from a notebook says which names it lacks, and why

# What Python 3.12 and later read, and older ones do not; each with the version that reads it first.
_NEWER = (
    (re.compile(r"\s*(?:async\s+)?(?:def|class)\s+\w+\s*\["), (3, 12)),
    (re.compile(r"\s*type\s+\w+\s*(?:\[.*\])?\s*="), (3, 12)),
    (re.compile(r"""(?i:.*?\b(?:f|rf|fr)(?P<quote>["'])[^{}]*\{[^{}]*(?P=quote)[^{}]*\})"""), (3, 12)),
    (re.compile(r"""(?i:.*?(?<!\w)(?:t|rt|tr)["'])"""), (3, 14)),
    (re.compile(r"\s*except\s+\w[\w.]*\s*,\s*\w[\w., ]*:"), (3, 14)),
)
_TOO_DEEP = says("nested too deeply, or too long, for Python to compile")
DECLARED = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


def find_source(name: str, path: Any) -> ModuleSpec | None:
    """Find a student's module; its loader explains what cannot be read."""
    spec = PathFinder.find_spec(name, path)
    if spec is not None and type(spec.loader) is SourceFileLoader:
        spec.loader = _Source(spec.loader.name, spec.loader.path)
    return spec


class _Source(SourceFileLoader):
    """Compiles a module. What Python raises where it cannot do so becomes a SyntaxError that names the file.

    A module of which a statement needs what is not there is executed all the same, without that: see `lacking.py`.
    """

    def exec_module(self, module: ModuleType) -> None:
        try:
            super().exec_module(module)
        except (ImportError, SyntaxError):
            raise
        except Exception as error:
            go_on(module, self.path, error)

    def get_code(self, fullname: str) -> Any:
        """Compile the file as it is: of two saves within a second Python keeps the first one's bytecode for both."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

    def source_to_code(self, data: Any, path: Any, **more: Any) -> Any:  # type: ignore[override]
        try:
            return super().source_to_code(data, path, **more)
        except (SyntaxError, ValueError, OverflowError, SystemError) as error:
            raise explained(bytes(data), str(path), error) from None
        except (MemoryError, RecursionError):  # they name nothing
            raise SyntaxError(_TOO_DEEP, (str(path), None, None, None)) from None


def explained(data: bytes, path: str, error: Exception) -> SyntaxError:
    """Return the error with file, line and reason, which Python leaves out where the file is no text for it."""
    message = (error.msg if isinstance(error, SyntaxError) else str(error)) or "invalid syntax"
    found = _damage(data, message)
    if found is None:
        line = (error.lineno if isinstance(error, SyntaxError) else None) or 1
        found = line, message + "".join(_newer(_line(data, line)))
    line, reason = found
    return SyntaxError(reason, (path, line, getattr(error, "offset", None), _line(data, line)))


def _damage(data: bytes, message: str) -> tuple[int, str] | None:
    """Find the line in which a file is no text, and the reason."""
    if b"\0" in data:
        return _number(data, data.index(b"\0")), says(
            "a NUL byte, which no source file may hold: save it as UTF-8 text"
        )
    for number, line in enumerate(data.splitlines()[:2], start=1):
        declared = DECLARED.match(line)
        if declared and "encoding" in message:
            name = declared[1].decode("ascii", "replace")
            return number, says(f"the file is declared to be {name}, and cannot be read so: save it as UTF-8")
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if "utf-8" in message:
            return _number(data, error.start), says("this is no UTF-8 text: save the file as UTF-8")
    return None


def _newer(line: str) -> Iterator[str]:
    """Say that the grader's Python is older than what a line is written for."""
    for pattern, version in _NEWER:
        if sys.version_info < version and pattern.match(line):
            needed, here = ".".join(map(str, version)), ".".join(map(str, sys.version_info[:2]))
            yield f" ({says(f'this is syntax of Python {needed}, and you are graded with Python {here}')})"
            return


def _number(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _line(data: bytes, number: int) -> str:
    lines = data.splitlines()
    return lines[number - 1].replace(b"\0", b"").decode("utf-8", "replace") if 0 < number <= len(lines) else ""
