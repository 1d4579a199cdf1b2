"""Reads sources for imports, paths and questions that only the student's own computer can answer. Runs none of them."""

from __future__ import annotations

import ast
import contextlib
import json
import re
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from grader.inside import says

MEMORY = 1 << 30
_ABSOLUTE = re.compile(
    r"(?:[A-Za-z]:[\\/]|~[\\/]|\\\\\w|file://|/(?:home|Users|root|content|kaggle|mnt|media|data|tmp|var|opt|Volumes|gdrive)/)\S*"
)
_CATCHING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def main() -> None:
    """Answer the request on standard input."""
    request = json.load(sys.stdin)
    _limit()
    json.dump(scan(request["sources"], request["files"], request["libraries"]), sys.stdout)


def _limit() -> None:
    with contextlib.suppress(ImportError):  # it is POSIX alone; elsewhere the time is limited from outside
        from grader.intake.reading import process  # noqa: PLC0415 - see above

        process.limit(20, MEMORY)


def scan(sources: Mapping[str, str], files: Collection[str], libraries: Collection[str]) -> list[str]:
    """Say in a line each what these sources need."""
    own = {PurePosixPath(name).parts[0].removesuffix(".py") for name in files} | {
        PurePosixPath(name).stem for name in files
    }
    known = own | set(libraries) | sys.stdlib_module_names | {"assignments"}
    return [f"{name}{line}" for name, text in sorted(sources.items()) for line in _of_file(text, known)]


def _of_file(text: str, known: Collection[str]) -> Iterator[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        unread = says(f"Python cannot read this file ({error.msg}), so nothing in it earns points")
        yield f":{error.lineno or 1}: {unread}"
        return
    except (ValueError, RecursionError, MemoryError):
        yield f": {says('Python cannot read this file, so nothing in it earns points')}"
        return
    docs = set(_docstrings(tree))
    for node in _running(tree):
        found = _import(node, known) or _path(node, docs) or _question(node)
        if found:
            yield f":{getattr(node, 'lineno', 1)}: {found}"


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what may run where it is graded: no start as a program, and no import whose failure is caught."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Try) and any(_catches(handler) for handler in node.handlers):
            yield from (one for one in _inside(node) if not isinstance(one, ast.Import | ast.ImportFrom))
            continue
        yield node
        yield from _running(node)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield from (child, *_running(child))


def _catches(handler: ast.ExceptHandler) -> bool:
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else _CATCHING
    return bool(names & _CATCHING)


def _docstrings(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)


def _import(node: ast.AST, known: Collection[str]) -> str:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name.partition(".")[0] for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level:
        names = [(node.module or "").partition(".")[0]]
    lacking = ", ".join(dict.fromkeys(name for name in names if name not in known))
    if not lacking:
        return ""
    return says(f"imports {lacking}, which is neither among your files nor there where you are graded")


def _path(node: ast.AST, docs: Collection[int]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
        found = _ABSOLUTE.match(node.value)
        if found:
            return says(f"names {found[0][:60]!r}, a place on your own computer: use a path beside the file")
    return ""


def _question(node: ast.AST) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("input", "breakpoint"):
        return says(f"calls {node.func.id}(), and nobody answers where you are graded")
    return ""


if __name__ == "__main__":
    main()
