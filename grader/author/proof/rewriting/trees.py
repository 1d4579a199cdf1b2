"""Holds what all rewrites of programs are made of: modules as syntax trees, and places drawn among many."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import count
from typing import TypeVar


class Trees(dict[str, ast.Module]):
    """A program: the path of each module, and its syntax tree; `taken` are the words that occur in any."""

    @cached_property
    def taken(self) -> set[str]:
        return {word for tree in self.values() for node in ast.walk(tree) for word in _words(node)}


Rewrite = Callable[[Trees, random.Random, frozenset[str]], None]  # it changes trees; the names that the week asks for
T = TypeVar("T")


def chosen(rng: random.Random, sites: Sequence[T]) -> list[T]:
    """Return about half of the sites, at least one where there is any."""
    some = [site for site in sites if rng.random() < 0.5]
    return some or ([rng.choice(sites)] if sites else [])


def functions_of(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Yield a module's functions and its classes' methods, not what is defined inside of these."""
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from (one for one in inner if isinstance(one, ast.FunctionDef))


def statements(source: str) -> list[ast.stmt]:
    return ast.parse(source).body


def import_into(tree: ast.Module, line: str) -> None:
    """Put an import at a module's beginning, where it may stand."""
    tree.body[first_place(tree) : first_place(tree)] = statements(line)


def first_place(tree: ast.Module) -> int:
    """Return the place of the first statement after the docstring and imports from `__future__`."""
    for place, node in enumerate(tree.body):
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not future and not (place == 0 and is_text(node)):
            return place
    return len(tree.body)


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def body_place(function: ast.FunctionDef) -> int:
    """Return the place of a function's first statement after its docstring."""
    return 1 if function.body and is_text(function.body[0]) else 0


def names_used(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def fresh(trees: Trees, stem: str) -> str:
    """Return a name with this beginning that no module uses for anything."""
    name = next(name for name in (f"{stem}_{number}" for number in count(1)) if name not in trees.taken)
    trees.taken.add(name)
    return name


def _words(node: ast.AST) -> Iterator[str]:
    for _, value in ast.iter_fields(node):
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))
