"""Cuts a module of probes down to what one of them needs, and tells which checks put right helpers to work.

Code of the student's finds whatever else lies in its process: by the frames that call it, or among all objects. A probe
may put a right helper in the place of the student's (`student.instead`), for checks of what builds on it. So no such
helper may be in the process that answers for the helper's own task.
"""

from __future__ import annotations

import ast
import inspect
import marshal
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

_HELPS = re.compile(r"instead|right_\w+")  # what probes with right helpers name
_PROBES = "probes"  # how the names of their modules begin
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@cache
def code_of(file: Path, probe: str) -> bytes:
    """Compile what a probe needs of its module: its processes are of the same Python, and each would compile it anew.

    Definitions and plain values are left out where nothing that the probe calls names them.
    """
    parts = _parts_of(file)
    known = set[str]().union(*(part.gives for part in parts))
    needed, more = set[str](), {probe}.union(*(part.names for part in parts if not part.gives))
    while more:
        needed |= more
        found = set[str]().union(*(part.names for part in parts if more & part.gives))
        more = (found & known) - needed
    body = [part.node for part in parts if not part.gives or needed & part.gives]
    return marshal.dumps(compile(ast.Module(body, []), file.name, "exec"))


class _Part(NamedTuple):
    """A statement of a module, the names that it gives, and all that stand in it."""

    node: ast.stmt
    gives: frozenset[str]
    names: frozenset[str]


@cache
def _parts_of(file: Path) -> list[_Part]:
    """Read a module, once for all of its probes."""
    tree = ast.parse(file.read_text(encoding="utf-8"), file.name)
    return [_Part(node, frozenset(_given(node)), frozenset(_named(node))) for node in tree.body]


def _given(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a definition or an assignment gives; what else it does goes with it."""
    if isinstance(node, _FUNCTIONS):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = [part for one in getattr(node, "targets", None) or [node.target] for part in _parts(one)]  # type: ignore[union-attr]
        if all(isinstance(one, ast.Name) for one in targets):
            yield from (one.id for one in targets if isinstance(one, ast.Name))


def _parts(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, (ast.Tuple, ast.List)):
        for one in target.elts:
            yield from _parts(one)
    else:
        yield target


def _named(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


@cache  # an order of checks asks of each several times
def helps(check: Callable[..., Any]) -> bool:
    """Tell whether a check runs a probe that puts right helpers to work."""
    return reaches(check, lambda name: _HELPS.fullmatch(name) is not None)


def reaches(check: Callable[..., Any], is_meant: Callable[[str], bool]) -> bool:
    """Tell whether a check names something, itself or in functions and probes that it names."""
    inner = getattr(getattr(check, "hypothesis", None), "inner_test", check)
    seen: set[CodeType] = set()
    waiting: list[tuple[CodeType, dict[str, Any]]] = [(inner.__code__, inner.__globals__)]
    while waiting:
        code, names = waiting.pop()
        if code in seen:
            continue
        seen.add(code)
        if any(map(is_meant, code.co_names)):
            return True
        waiting += [(one, names) for one in code.co_consts if isinstance(one, CodeType)]
        waiting += [(one.__code__, one.__globals__) for one in _functions(code.co_names, names)]
    return False


def _functions(words: tuple[str, ...], names: dict[str, Any]) -> Iterator[FunctionType]:
    """Yield the functions that code names: of its own module, and of modules of probes."""
    found = [names.get(word) for word in words]
    modules = [
        one for one in found if isinstance(one, ModuleType) and one.__name__.rpartition(".")[2].startswith(_PROBES)
    ]
    for one in (*found, *(getattr(module, word, None) for module in modules for word in words)):
        # A class may be anybody's: one of a library names no function of the course's modules.
        for inner in vars(one).values() if isinstance(one, type) else [one]:
            function = inspect.unwrap(inner) if callable(inner) else inner  # behind what decorates it
            if isinstance(function, FunctionType):
                yield function
