"""Goes on with a file's import after a statement that needs what the grading machine lacks: a download, a file, a GPU.

What the statement would have given a name is a placeholder then, which raises by that name when a function uses it. So
`train_data = MNIST(download=True)` beside the code that is asked for costs that code nothing.
"""

from __future__ import annotations
import __future__

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, TracebackType

from .. import says
from .absent import Absent, NotInstalled

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_LACKING = re.compile(r"download|dataset not found|\bCUDA\b|NVIDIA|EOF when reading|reading from stdin", re.IGNORECASE)
_LONGEST = 120  # of what an error says


passed_over: list[str] = []  # what this process has left out of its imports, in words


class NotThere(NotInstalled):
    """Code uses what a statement could not give, as the grading machine lacks what that needs."""


class Lacking(Absent):
    """What such a statement would have given."""

    _error = NotThere


def go_on(module: ModuleType, path: str, error: Exception) -> None:
    """Execute the rest of a file whose import was ended by an error; raise that where it is the code's own."""
    body = ast.parse(Path(path).read_bytes(), path).body
    flags = _future(body)
    is_lacking = False  # what comes after such a statement may fail for that alone
    while True:
        place = _place(body, path, error.__traceback__)
        is_lacking = is_lacking or _is_lack(error)
        if place is None or not is_lacking or isinstance(body[place], _DEFINITIONS):
            raise error
        statement, body = body[place], body[place + 1 :]
        where = f"{Path(path).name}:{statement.lineno}"
        what = f"{type(error).__name__}: {str(error).strip()[:_LONGEST]}"
        why = says(f"{where} cannot be run where you are graded ({what})")
        passed_over.append(why)
        for name in _names(statement):
            module.__dict__.setdefault(name, Lacking(name, name, why))
        try:
            exec(compile(ast.Module(body, []), path, "exec", flags, dont_inherit=True), module.__dict__)
            return
        except Exception as next_error:
            error = next_error


def _future(body: list[ast.stmt]) -> int:
    names = (
        alias.name
        for node in body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    )
    return sum(getattr(__future__, name).compiler_flag for name in set(names))


def _place(body: list[ast.stmt], path: str, trace: TracebackType | None) -> int | None:
    """Return the place of the file's statement in which an error arose; None where it arose in none of them."""
    lines: list[int] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if (code.co_filename, code.co_name) == (path, "<module>"):
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    spans = [(node.lineno, node.end_lineno or node.lineno) for node in body]
    found = (place for place, (first, last) in enumerate(spans) if lines and first <= lines[-1] <= last)
    return next(found, None)


def _is_lack(error: BaseException | None) -> bool:
    """Tell whether a file, a connection, a GPU or somebody at the keyboard is missing, and not an import."""
    while error is not None:
        if isinstance(error, (OSError, EOFError)) or (
            isinstance(error, (RuntimeError, AssertionError)) and _LACKING.search(str(error))
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def _names(node: ast.AST) -> Iterator[str]:
    """Yield what a statement of a file gives a name, in its blocks, too."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        for part in ast.iter_child_nodes(node):
            yield from _names(part)
