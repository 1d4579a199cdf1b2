"""Tells from a module's source which names it gives, without running it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from grader.course import defined_names
from grader.inside.modules import LIBRARIES
from grader.intake.notebook.cells import is_exported, parse, read_script
from grader.intake.notebook.pieces import defined_in, flat


@dataclass(frozen=True)
class Given:
    """The names that a module defines, and those that it imports; `is_open` where it may give any other, too."""

    defined: frozenset[str]
    imported: frozenset[str] = frozenset()
    is_open: bool = False


@lru_cache(maxsize=512)
def given_by(source: bytes) -> Given:
    """Look at the top level of a source, blocks included; a script that was a notebook is read as one."""
    if is_exported(source):
        return Given(defined_in(cell.tree for cell in read_script(source, "", ()).cells))
    tree = parse(source)
    if tree is None:
        return Given(defined_names(source), is_open=True)
    defined = defined_in([tree])
    imported = frozenset(_imported(tree))
    return Given(defined, imported, "*" in imported or "__getattr__" in defined)


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield the names that imports bind; a star only where it may bring names of the student's own."""
    for statement in flat(tree):
        if isinstance(statement, ast.Import):
            yield from (name.asname or name.name.partition(".")[0] for name in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            top = (statement.module or "").partition(".")[0]
            is_library = not statement.level and (top in LIBRARIES or top in sys.stdlib_module_names)
            yield from (name.asname or name.name for name in statement.names if not (is_library and name.name == "*"))
