"""Tells which functions of a module another version has changed, where it has changed nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def changed_functions(before: bytes, after: bytes) -> set[str] | None:
    """Return the functions and methods whose bodies differ; None where anything else does, or does not parse.

    Only a body is run no sooner than the function is called. Signatures, decorators and what stands in a class or a
    module are run by the import.
    """
    try:
        old, new = ast.parse(before), ast.parse(after)
    except (SyntaxError, ValueError):
        return None
    bodies, others = _taken(old), _taken(new)
    if len({name for name, _ in bodies}) < len(bodies) or ast.dump(old) != ast.dump(new):
        return None
    return {name for (name, body), (_, other) in zip(bodies, others, strict=True) if body != other}


def _taken(tree: ast.Module) -> list[tuple[str, str]]:
    """Empty the functions of a tree, and return their names with what they did."""
    found = []
    for name, function in _functions(tree, ""):
        found.append((name, "\n".join(map(ast.dump, function.body))))
        function.body = []
    return found


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, _Function]]:
    """Yield functions and methods, wherever in a module, but not those inside of others."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            yield prefix + child.name, child
        else:
            yield from _functions(child, f"{prefix}{child.name}." if isinstance(child, ast.ClassDef) else prefix)
