"""Tells which functions of a module another version has changed, where it has changed nothing else."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def changed_functions(before: bytes, after: bytes) -> set[str] | None:
    """Return the functions and methods whose bodies differ; None where anything else does, or does not compile.

    Only a body is run no sooner than the function is called. Signatures, decorators and what stands in a class or a
    module are run by the import. A docstring is read without a call, and a call of a generator enters no body.
    """
    try:
        old, new = _compiling(before), _compiling(after)
    except (SyntaxError, ValueError):
        return None
    bodies, others = _taken(old), _taken(new)
    if len({name for name, _ in bodies}) < len(bodies) or ast.dump(old) != ast.dump(new):
        return None
    return {name for (name, body), (_, other) in zip(bodies, others, strict=True) if body != other}


def _compiling(source: bytes) -> ast.Module:
    """Parse a module that Python also compiles: it refuses a `break` outside of loops, say, only then."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd escapes; whoever grades the module hears of them
        tree = ast.parse(source)
        compile(tree, "module", "exec", dont_inherit=True)
    return tree


def _taken(tree: ast.Module) -> list[tuple[str, str]]:
    """Empty the functions of a tree, and return their names with what they did."""
    found = []
    for name, function in _functions(tree, ""):
        found.append((name, "\n".join(map(ast.dump, function.body))))
        yields = sum(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in ast.walk(function))
        function.body = [ast.Expr(ast.Constant(told)) for told in (ast.get_docstring(function, clean=False), yields)]
    return found


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, _Function]]:
    """Yield functions and methods, wherever in a module, but not those inside of others."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            yield prefix + child.name, child
        else:
            yield from _functions(child, f"{prefix}{child.name}." if isinstance(child, ast.ClassDef) else prefix)
