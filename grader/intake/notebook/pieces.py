"""Takes a notebook's cells apart: each statement, and the head of each block around statements, is a piece."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from grader.intake.notebook.cells import Cell
from grader.intake.notebook.statements import (
    DEFINITIONS,
    Names,
    base_name,
    changed_names,
    executed,
    imported_names,
    names_of,
    simple_names,
    source_of,
)
from grader.intake.notebook.work import Work

DEEPEST = 100  # blocks in each other; each `elif` is one more
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.TryStar, ast.Match)
_JUMPS = (ast.Break, ast.Continue, ast.Raise)
_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")

_Node = TypeVar("_Node", bound=ast.AST)


@dataclass(frozen=True, eq=False)
class Piece:
    """One statement of a cell; of a block, its head alone. `around` is the head of the block that it is in.

    `writes` are the names that it binds or changes, `work` is what kind of work it does instead of building something.
    """

    node: ast.stmt
    cell: Cell
    around: Piece | None
    names: Names
    writes: frozenset[str]
    work: str | None
    made: bool = False  # not as it was written

    @property
    def home(self) -> str | None:
        """The module that its cell belongs to, None for all."""
        return self.cell.home

    @property
    def top(self) -> Piece:
        """The statement at the top level that it belongs to."""
        piece = self
        while piece.around is not None:
            piece = piece.around
        return piece

    @property
    def defines(self) -> bool:
        """Tell whether it is a function or a class."""
        return isinstance(self.node, DEFINITIONS)

    @property
    def is_import(self) -> bool:
        """Tell whether it is an import."""
        return isinstance(self.node, (ast.Import, ast.ImportFrom))

    @property
    def is_future(self) -> bool:
        """Tell whether it has to come first in its module."""
        return isinstance(self.node, ast.ImportFrom) and self.node.module == "__future__"

    @property
    def is_sweeping(self) -> bool:
        """Tell whether it matters although nothing asks for its names."""
        return self.is_future or "*" in self.names.binds

    @property
    def matters_where_it_is(self) -> bool:
        """Tell whether the block around it would go another way without it, whatever it binds."""
        return isinstance(self.node, _JUMPS) or (self.work is None and self._may_fail)

    @property
    def _may_fail(self) -> bool:
        """Tell whether it is tried for its failure: in the body of a `try`, an import or an assignment."""
        if self.around is None or not isinstance(self.around.node, (ast.Try, ast.TryStar)):
            return False
        is_shown = isinstance(self.node, ast.Expr) and base_name(self.node.value) in ("print", "display")
        return self.node in self.around.node.body and not isinstance(self.node, DEFINITIONS) and not is_shown


class Sorter:
    """Takes cells apart. `modules` are the week's, `present` those that stand beside the notebook as files."""

    def __init__(self, modules: Collection[str], present: Collection[str], defined: Collection[str], work: Work):
        self._modules = modules
        self._present = present
        self._defined = defined
        self._work = work

    def pieces(self, cell: Cell) -> Iterator[Piece]:
        """Yield the pieces of one cell, in order."""
        for statement in cell.tree.body:
            yield from self._pieces(statement, cell, None, DEEPEST)

    def _pieces(self, statement: ast.stmt, cell: Cell, around: Piece | None, depth: int) -> Iterator[Piece]:
        if not depth:
            raise RecursionError
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            for line in self._imports(statement) if around is None else [statement]:
                yield self._piece(line, cell, around, made=True)
        elif isinstance(statement, BLOCKS):
            head = self._head(statement, cell, around)
            yield head
            for inner in _inner(statement):
                yield from self._pieces(inner, cell, head, depth - 1)
        else:
            yield self._piece(statement, cell, around)

    def _piece(self, node: ast.stmt, cell: Cell, around: Piece | None, made: bool = False) -> Piece:
        done = list(executed(node))
        try:
            names = simple_names(done) or self._names(node, cell, made or around is not None)
        except (SyntaxError, ValueError):  # such as a `return` outside of a function: it would spoil the module
            return Piece(node, cell, around, Names(early=frozenset({"return"})), frozenset(), "other statement", made)
        changed = self._changed(node, done)
        return Piece(node, cell, around, names, names.binds | changed, self._kind(node, done), made)

    def _names(self, node: ast.stmt, cell: Cell, made: bool) -> Names:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return Names(frozenset(imported_names(node)))
        text = ast.unparse(node) if made else source_of(node, cell.lines).decode()
        return names_of(text, self._work.has_plain_annotations)

    def _head(self, statement: ast.stmt, cell: Cell, around: Piece | None) -> Piece:
        head = _without_bodies(statement)
        done = list(executed(head))
        names = simple_names(done) or names_of(ast.unparse(head))
        return Piece(statement, cell, around, names, names.binds, self._kind(statement, done))

    def _kind(self, node: ast.stmt, done: list[ast.AST]) -> str | None:
        return None if isinstance(node, DEFINITIONS) else self._work.kind(done)

    def _changed(self, node: ast.stmt, done: list[ast.AST]) -> frozenset[str]:
        """Return the names that it changes; a library only where it gives it something of the notebook's own."""
        found = set(changed_names(done, self._work.own))
        libraries = {name for name in found if name in self._work.imported and name not in self._defined}
        value = getattr(node, "value", None)
        gives = isinstance(node, ast.Assign) and (
            isinstance(value, ast.Lambda) or (isinstance(value, ast.expr) and base_name(value) in self._defined)
        )
        return self._work.same([*(found if gives else found - libraries), *self._work.effects(done)])

    def _imports(self, statement: ast.Import | ast.ImportFrom) -> Iterator[ast.stmt]:
        """Yield a line for each name, so that those that are not needed can be left out."""
        if isinstance(statement, ast.ImportFrom) and self._is_own(statement):
            yield from self._own_import(statement)
        elif isinstance(statement, ast.ImportFrom):
            yield from (ast.ImportFrom(statement.module, [name], statement.level) for name in statement.names)
        else:
            yield from (ast.Import([name]) for name in statement.names)

    def _is_own(self, statement: ast.ImportFrom) -> bool:
        """Tell whether it imports from one of the week's modules."""
        parts = (statement.module or "").split(".")
        is_library = not statement.level and len(parts) > 1 and parts[0] in {"torch", "torchvision", "numpy"}
        return parts[-1] in self._modules and not is_library

    def _own_import(self, statement: ast.ImportFrom) -> Iterator[ast.stmt]:
        """Yield imports of what only a module beside the notebook can have: what the notebook defines is there."""
        for name in statement.names:
            if name.name in self._defined:
                if name.asname and name.asname != name.name:
                    yield ast.parse(f"{name.asname} = {name.name}").body[0]
            elif (statement.module or "").rpartition(".")[2] in self._present:
                yield ast.ImportFrom(statement.module, [name], statement.level)


def _inner(statement: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements directly inside a block."""
    for name in _BODIES:
        for child in getattr(statement, name, []):
            if isinstance(child, ast.stmt):
                yield child
            else:  # a handler or a case
                yield from _inner(child)


def _without_bodies(statement: ast.stmt) -> ast.stmt:
    """Return a copy of a block with nothing in it."""
    return rebuilt(statement, lambda inner: [])


def rebuilt(block: ast.stmt, change: Callable[[list[ast.stmt]], list[ast.stmt]]) -> ast.stmt:
    """Return a copy of a block with `change(statements)` for each list of statements in it, or `pass`."""
    return _rebuilt(block, change)


def _rebuilt(node: _Node, change: Callable[[list[ast.stmt]], list[ast.stmt]]) -> _Node:
    new = copy.copy(node)
    for name in _BODIES:
        inner = getattr(node, name, None)
        if not inner:
            continue
        if isinstance(inner[0], ast.stmt):
            kept = change(inner)
            setattr(new, name, kept or ([ast.Pass()] if name in ("body", "finalbody") else []))
        else:
            setattr(new, name, [_rebuilt(part, change) for part in inner])
    return new


def defined_in(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Return what is defined at any depth of blocks: functions, classes and names that are assigned."""
    return frozenset(name for tree in trees for line in flat(tree) for name in _defined(line))


def functions_in(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Return the functions and classes that are defined at any depth of blocks."""
    return frozenset(line.name for tree in trees for line in flat(tree) if isinstance(line, DEFINITIONS))


def flat(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield statements, and those in blocks."""
    waiting = list(tree.body)
    while waiting:
        statement = waiting.pop()
        yield statement
        waiting += _inner(statement) if isinstance(statement, BLOCKS) else ()


def _defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, DEFINITIONS):
        yield statement.name
    elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        stores = (node for target in targets for node in ast.walk(target))
        yield from (node.id for node in stores if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
