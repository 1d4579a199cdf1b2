"""Tells from a statement's syntax tree which names it binds, which it needs, and when."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

_BUILTINS = {*dir(builtins), "__file__"}


def source_of(statement: ast.stmt, lines: tuple[bytes, ...]) -> bytes:
    """Return the statement as it was written, with its decorators."""
    first, column = statement.lineno, statement.col_offset
    if isinstance(statement, DEFINITIONS) and statement.decorator_list:
        first, column = statement.decorator_list[0].lineno, 0
    taken = list(lines[first - 1 : statement.end_lineno])
    taken[-1] = taken[-1][: statement.end_col_offset]
    taken[0] = taken[0][column:]
    return b"\n".join(taken)


def imported_names(statement: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Return the names that an import binds, each with the dotted name of what it stands for."""
    if isinstance(statement, ast.ImportFrom):
        prefix = "." * statement.level + (statement.module or "")
        return {name.asname or name.name: f"{prefix}.{name.name}" for name in statement.names}
    return {
        name.asname or name.name.partition(".")[0]: name.name if name.asname else name.name.partition(".")[0]
        for name in statement.names
    }


def bound_names(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds at the top level, `*` for all names of a module."""
    if isinstance(statement, DEFINITIONS):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        yield from imported_names(statement)
    elif isinstance(statement, (ast.If, ast.Try)):
        for child in ast.iter_child_nodes(statement):
            inner = child.body if isinstance(child, ast.ExceptHandler) else [child]
            for line in inner:
                yield from bound_names(line) if isinstance(line, ast.stmt) else ()
    else:
        stores = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
        yield from (node.id for node in stores if isinstance(node.ctx, ast.Store))


def loaded_names(node: ast.AST) -> frozenset[str]:
    """Return every name that is read anywhere inside."""
    names = (inner for inner in ast.walk(node) if isinstance(inner, ast.Name))
    return frozenset(name.id for name in names if isinstance(name.ctx, ast.Load)) - _local(node)


def _local(node: ast.AST) -> frozenset[str]:
    """Return names of comprehensions and lambdas, which an assignment's right-hand side brings along."""
    if isinstance(node, (*DEFINITIONS, ast.If, ast.Try)):
        return frozenset()
    inner = list(ast.walk(node))
    targets = [entry.target for entry in inner if isinstance(entry, ast.comprehension)]
    names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    return frozenset(names) | {entry.arg for entry in inner if isinstance(entry, ast.arg)}


def early_names(statement: ast.stmt) -> Iterator[str]:
    """Return names needed as soon as the statement is executed: all but its own and those in functions' bodies."""
    needed, own = set(loaded_names(statement)), set(bound_names(statement))
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
        needed, stored = _executed_names(statement)
        own |= stored
        needed -= own
    return iter(needed - _BUILTINS)


def _executed_names(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Return the names that executing a definition or block loads and stores."""
    loads: set[str] = set()
    stores: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            (loads if isinstance(node.ctx, ast.Load) else stores).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            stores.add(node.name)
            waiting += [*node.decorator_list, node.args, *([node.returns] if node.returns else [])]
        elif isinstance(node, ast.Lambda):
            waiting.append(node.args)
        else:
            stores |= {node.name} if isinstance(node, ast.ClassDef) else set()
            stores |= {node.name} if isinstance(node, ast.ExceptHandler) and node.name else set()
            waiting += ast.iter_child_nodes(node)
    return loads, stores


def base_name(node: ast.expr) -> str | None:
    """Return `torch` for `torch.nn.Linear`; None where an expression begins with something else than a name."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def attribute_names(node: ast.expr) -> set[str]:
    """Return `{"nn", "Linear"}` for `torch.nn.Linear`."""
    found = set()
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        found |= {node.attr} if isinstance(node, ast.Attribute) else set()
        node = node.value
    return found
