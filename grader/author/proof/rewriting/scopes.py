"""Tells which names of a module are the module's own variables, and what binds these, as Python does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Scope:
    """What belongs to a module, function, class or comprehension itself: its nodes, and the scopes inside of it."""

    node: ast.AST
    nodes: list[ast.AST] = field(default_factory=list)
    inner: list[Scope] = field(default_factory=list)

    def bound(self) -> set[str]:
        """Return the names that are bound here, whatever binds them."""
        return {name for node in self.nodes for name in names_bound(node)}

    def is_global(self, name: str) -> bool:
        return any(isinstance(node, ast.Global) and name in node.names for node in self.nodes)


def names_bound(node: ast.AST) -> list[str]:
    """Return the names that a node itself gives a value, or takes it from."""
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.alias):
        return [(node.asname or node.name).partition(".")[0]]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        return [node.name] if node.name else []
    if isinstance(node, ast.MatchMapping):
        return [node.rest] if node.rest else []
    return []


def _scope_of(tree: ast.Module) -> Scope:
    scope = Scope(tree)
    for part in tree.body:
        _enter(part, scope, scope)
    return scope


def _enter(node: ast.AST, scope: Scope, holder: Scope) -> None:
    """Note a node in its scope, and all that is in it; `holder` is the scope around comprehensions."""
    scope.nodes.append(node)
    if isinstance(node, ast.NamedExpr):
        holder.nodes.append(node.target)
        _enter(node.value, scope, holder)
    elif isinstance(node, (*FUNCTIONS, ast.ClassDef, *COMPREHENSIONS)):
        inner = Scope(node)
        scope.inner.append(inner)
        within = _parts_within(node)
        for part in within:
            _enter(part, inner, holder if isinstance(node, COMPREHENSIONS) else inner)
        for part in _parts_around(node, within):
            _enter(part, scope, holder)
    else:
        for part in ast.iter_child_nodes(node):
            _enter(part, scope, holder)


def _parts_within(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a function, class or comprehension that are in its own scope; parameters without hints."""
    if isinstance(node, ast.ClassDef):
        return [*node.body]
    if isinstance(node, FUNCTIONS):
        parameters = [ast.arg(part.arg) for part in ast.walk(node.args) if isinstance(part, ast.arg)]
        return [*parameters, *([node.body] if isinstance(node, ast.Lambda) else node.body)]
    assert isinstance(node, COMPREHENSIONS)
    first, *others = node.generators
    values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    return [*values, first.target, *first.ifs, *others]


def _parts_around(node: ast.AST, within: list[ast.AST]) -> list[ast.AST]:
    """Return the parts that are evaluated outside: defaults, hints, decorators, bases, the first iterable."""
    if isinstance(node, COMPREHENSIONS):
        return [node.generators[0].iter]
    parts = [part for part in ast.iter_child_nodes(node) if part not in within]
    arguments = [part for holder in parts if isinstance(holder, ast.arguments) for part in ast.iter_child_nodes(holder)]
    hints = [part.annotation for part in arguments if isinstance(part, ast.arg) and part.annotation]
    others = [part for part in (*parts, *arguments) if not isinstance(part, (ast.arguments, ast.arg))]
    return [*hints, *others]


def uses_of(tree: ast.Module, name: str) -> list[ast.Name]:
    """Return the nodes that stand for the module's own variable of this name, wherever they are."""
    return [*_uses(_scope_of(tree), name, hidden=False)]


def _uses(scope: Scope, name: str, hidden: bool) -> Iterator[ast.Name]:
    """Yield them; `hidden` tells whether a function around this scope has a variable of that name."""
    is_module = isinstance(scope.node, ast.Module)
    if scope.is_global(name):
        here = within = False
    else:
        here = within = hidden or (not is_module and name in scope.bound())
        if isinstance(scope.node, ast.ClassDef):
            within = hidden  # methods do not see the names of their class
    for node in scope.nodes:
        if isinstance(node, ast.Name) and node.id == name and not here:
            yield node
    for inner in scope.inner:
        yield from _uses(inner, name, within)


def binders_of(tree: ast.Module, name: str) -> list[ast.AST]:
    """Return the nodes that bind the module's own variable of this name: imports, assignments, definitions, …"""
    return [*_binders(_scope_of(tree), name)]


def _binders(scope: Scope, name: str) -> Iterator[ast.AST]:
    if isinstance(scope.node, ast.Module) or scope.is_global(name):
        yield from (node for node in scope.nodes if name in names_bound(node))
        yield from (node for node in scope.nodes if isinstance(node, ast.Global) and name in node.names)
    for inner in scope.inner:
        yield from _binders(inner, name)
