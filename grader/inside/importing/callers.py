"""Tells where in a student's files an import or a call comes from, and whether its failure would be caught there."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from types import FrameType

CHECKS = re.compile(r"(test_\w+|probes\w*|conftest)\.py")  # at a student's desk they lie beside the student's files

TRIED = "__error__"  # the error's name where it is the grader that tries a notebook's statement, and not the student

_CATCHING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def is_students(filename: str, folders: Collection[Path]) -> bool:
    """Tell whether a file lies in one of the folders and is none of the course's own."""
    file = Path(filename)
    return any(folder in file.parents for folder in folders) and not CHECKS.fullmatch(file.name)


def student_frames(folders: Collection[Path]) -> Iterator[FrameType]:
    """Yield the frames of students' files that are running, innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if is_students(frame.f_code.co_filename, folders):
            yield frame
        frame = frame.f_back


def is_importing(folders: Collection[Path]) -> bool:
    """Tell whether a student's file is just being imported."""
    return any(frame.f_code.co_name == "<module>" for frame in student_frames(folders))


def is_caught(folders: Collection[Path]) -> bool:
    """Tell whether the student's code that runs would catch an ImportError, as in `try: import x`."""
    return any(_is_within(frame.f_lineno, _caught(frame.f_code.co_filename)) for frame in student_frames(folders))


def _is_within(line: int, parts: Collection[tuple[int, int]]) -> bool:
    return any(first <= line <= last for first, last in parts)


@lru_cache(maxsize=32)
def _caught(filename: str) -> tuple[tuple[int, int], ...]:
    """Return the lines, first and last, of each block of a file in which an ImportError is caught."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(Path(filename).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    blocks = (node for node in ast.walk(tree) if isinstance(node, (ast.Try, ast.TryStar, ast.With)))
    return tuple(_lines(node.body) for node in blocks if _catches(node))


def _lines(body: list[ast.stmt]) -> tuple[int, int]:
    return body[0].lineno, body[-1].end_lineno or body[-1].lineno


def _catches(node: ast.Try | ast.TryStar | ast.With) -> bool:
    if isinstance(node, ast.With):
        calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
        return any(_CATCHING & _names(arg) for call in calls if "suppress" in _names(call.func) for arg in call.args)
    own = [handler for handler in node.handlers if handler.name != TRIED]
    return any(handler.type is None or _CATCHING & _names(handler.type) for handler in own)


def _names(node: ast.expr) -> set[str]:
    """Return the last part of each name in an expression: of `builtins.ImportError`, `ImportError`."""
    inner = list(ast.walk(node))
    return {part.id for part in inner if isinstance(part, ast.Name)} | {
        part.attr for part in inner if isinstance(part, ast.Attribute)
    }
