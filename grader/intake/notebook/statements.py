"""Tells from a statement which names it binds, changes and needs, and when.

Scopes are Python's own: `symtable` knows parameters, closures, comprehensions, class bodies and `global`.
"""

from __future__ import annotations

import ast
import symtable
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

# Functions that change their arguments; so do those whose names end in `_`.
_CHANGERS = {"setattr", "delattr", "shuffle", "heappush", "heapify", "update_wrapper", "copyto"}
_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp, ast.NamedExpr, ast.Import, ast.ImportFrom, ast.AnnAssign, ast.AugAssign, ast.ExceptHandler,
    ast.Match, ast.Return, ast.Await, ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal, ast.AsyncFor, ast.AsyncWith,
)  # fmt: skip
_PLAIN = "from __future__ import annotations\n"
_AT_ONCE = {"listcomp", "setcomp", "dictcomp", "genexpr"}


@dataclass(frozen=True)
class Names:
    """A statement's names: bound by it, needed as soon as it is executed (`early`), and needed later, by functions."""

    binds: frozenset[str] = frozenset()
    early: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()

    def __or__(self, other: Names) -> Names:
        return Names(self.binds | other.binds, self.early | other.early, self.late | other.late)


def simple_names(nodes: Iterable[ast.AST]) -> Names | None:
    """Return the names of a statement without scopes of its own, given all of its nodes; None for any other.

    `symtable` would say the same, and take ten times as long.
    """
    found: dict[type, set[str]] = {ast.Load: set(), ast.Store: set(), ast.Del: set()}
    for node in nodes:
        if isinstance(node, ast.Name):
            found[type(node.ctx)].add(node.id)
        elif isinstance(node, _SCOPES):
            return None
    return Names(frozenset(found[ast.Store] | found[ast.Del]), frozenset(found[ast.Load] | found[ast.Del]))


def names_of(text: str, plain_annotations: bool = False) -> Names:
    """Return the names of a piece of source; with `plain_annotations` these need nothing.

    Raises `SyntaxError`, `ValueError` or `RecursionError`.
    """
    if plain_annotations and not text.startswith("from __future__"):
        names = names_of(f"{_PLAIN}{text}")
        return Names(names.binds - {"annotations"}, names.early, names.late)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = symtable.symtable(text, "cell", "exec")
    symbols = table.get_symbols()
    binds = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
    early = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
    late: set[str] = set()
    for child in table.get_children():
        _collect(child, early, late, is_late=False)
        binds |= set(_bound_inside(child))
    return Names(frozenset(binds), frozenset(early), frozenset(late - early))


def _collect(table: symtable.SymbolTable, early: set[str], late: set[str], is_late: bool) -> None:
    """Add the module's names that an inner scope reads."""
    is_late = is_late or (table.get_type() == "function" and table.get_name() not in _AT_ONCE)
    is_class = table.get_type() == "class"
    for symbol in table.get_symbols():
        if symbol.is_global():
            (late if is_late else early).add(symbol.get_name())
        elif is_class and symbol.is_referenced():  # `size = size` may read the module's name
            late.add(symbol.get_name())
    for child in table.get_children():
        _collect(child, early, late, is_late)


def _bound_inside(table: symtable.SymbolTable) -> Iterator[str]:
    """Yield the names that a comprehension binds outside of it, by `:=`."""
    if table.get_name() in _AT_ONCE:
        yield from (symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() and symbol.is_assigned())
        for child in table.get_children():
            yield from _bound_inside(child)


def imported_names(statement: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Return the names that an import binds, each with the dotted name of what it stands for."""
    if isinstance(statement, ast.ImportFrom):
        prefix = "." * statement.level + (statement.module or "")
        return {name.asname or name.name: f"{prefix}.{name.name}" for name in statement.names}
    return {
        name.asname or name.name.partition(".")[0]: name.name if name.asname else name.name.partition(".")[0]
        for name in statement.names
    }


def source_of(statement: ast.stmt, lines: tuple[bytes, ...]) -> bytes:
    """Return the statement as it was written, with its decorators."""
    first, column = statement.lineno, statement.col_offset
    if isinstance(statement, DEFINITIONS) and statement.decorator_list:
        first, column = statement.decorator_list[0].lineno, 0
    taken = list(lines[first - 1 : statement.end_lineno])
    taken[-1] = taken[-1][: statement.end_col_offset]
    taken[0] = taken[0][column:]
    return b"\n".join(taken)


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all that is executed as soon as a statement is: everything but the bodies of functions."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += [*node.decorator_list, node.args, *([node.returns] if node.returns else [])]
        elif isinstance(node, ast.Lambda):
            waiting.append(node.args)
        else:
            waiting += ast.iter_child_nodes(node)


def changed_names(nodes: Iterable[ast.AST], own: frozenset[str]) -> Iterator[str]:
    """Yield names whose objects are changed in place: `cfg.x = 3`, `layers.append(…)`, `del d[k]`, `add(LeNet)`.

    `own` are names of the notebook's functions, which may change what they are given.
    """
    for node in nodes:
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            yield from _base(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield from _changed_by(node.value, own)


def _changed_by(call: ast.Call, own: frozenset[str]) -> Iterator[str]:
    if isinstance(call.func, ast.Attribute):
        yield from _base(call.func)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else base_name(call.func) or ""
    if name in own or name in _CHANGERS or name.endswith("_"):
        for argument in call.args:
            yield from _base(argument)


def _base(node: ast.expr) -> Iterator[str]:
    name = base_name(node)
    if name:
        yield name


def base_name(node: ast.expr) -> str | None:
    """Return `torch` for `torch.nn.Linear`, and for `torch.nn.Linear(1).weight`; None for other beginnings."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def attribute_names(node: ast.expr) -> set[str]:
    """Return `{"nn", "Linear"}` for `torch.nn.Linear`."""
    found = set()
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        found |= {node.attr} if isinstance(node, ast.Attribute) else set()
        node = node.value
    return found
