"""Rewrites names and what goes with them: locals, helpers, constants, hints, imports."""

from __future__ import annotations

import ast
import random
from collections.abc import Collection, Iterator

from grader.author.proof.rewriting.trees import (
    Trees,
    body_place,
    chosen,
    first_place,
    fresh,
    functions_of,
    import_into,
    names_used,
    statements,
)

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.GeneratorExp | ast.ListComp
SCOPES = (*(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef), ast.GeneratorExp, ast.ListComp,
          ast.SetComp, ast.DictComp)  # fmt: skip


def renamed_locals(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Call a function's own variables something else."""
    for tree in trees.values():
        for function in functions_of(tree):
            for name in chosen(rng, sorted(_own_variables(function))):
                _rename(function, name, fresh(trees, name))


def _own_variables(function: ast.FunctionDef) -> set[str]:
    """Return the names that a function assigns, and that nothing else in it binds."""
    assigned = {node.id for node in _in_scope(function) if _stores(node) and isinstance(node, ast.Name)}
    return assigned - set(_bound_otherwise(function))


def _in_scope(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of a function's body that belong to its own scope."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, SCOPES):
            waiting += ast.iter_child_nodes(node)


def _stores(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _bound_otherwise(function: ast.FunctionDef) -> Iterator[str]:
    """Yield every name that a parameter, a nested scope, an import, an `except` or a `global` binds."""
    inside = {id(node) for node in _in_scope(function)}
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            yield node.name or ""
        elif isinstance(node, ast.NamedExpr):
            yield node.target.id
        elif isinstance(node, ast.Name) and _stores(node) and id(node) not in inside:
            yield node.id


def _rename(within: ast.AST, old: str, new: str) -> None:
    for node in ast.walk(within):
        if isinstance(node, ast.Name) and node.id == old:
            node.id = new


def renamed_helpers(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Call functions and classes that the week does not ask for something else, wherever they are used."""
    defined = {
        node.name for tree in trees.values() for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    for name in chosen(rng, sorted(defined - asked - _used_in_another_way(trees))):
        _rename_everywhere(trees, name, fresh(trees, f"own_{name.strip('_')}"))


def _used_in_another_way(trees: Trees) -> set[str]:
    """Return the words that stand for something else than a name somewhere: attributes, keywords, parameters, texts."""
    found: set[str] = set()
    for tree in trees.values():
        for node in ast.walk(tree):
            words = (getattr(node, name, None) for name in ("attr", "arg", "value", "module", "asname"))
            found |= {word for word in words if isinstance(word, str)}
    return found


def _rename_everywhere(trees: Trees, old: str, new: str) -> None:
    for tree in trees.values():
        _rename(tree, old, new)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.alias)) and node.name == old:
                node.name = new


def named_constants(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Give numbers a name at the module's beginning."""
    for tree in trees.values():
        numbers = [
            node
            for function in functions_of(tree)
            for statement in function.body
            for node in ast.walk(statement)
            if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.kind is None
        ]
        kept = [one for one in ast.walk(tree) if isinstance(one, (ast.JoinedStr, ast.pattern))]
        fixed = {id(node) for one in kept for node in ast.walk(one)}  # no name may stand there
        for number in chosen(rng, [one for one in numbers if id(one) not in fixed]):
            name = fresh(trees, "NUMBER")
            tree.body[first_place(tree) : first_place(tree)] = statements(f"{name} = {number.value!r}")
            number.__class__ = ast.Name  # type: ignore[assignment]
            number.__dict__.update(id=name, ctx=ast.Load())


def without_hints(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Take annotations off functions."""
    for tree in trees.values():
        for function in chosen(rng, list(functions_of(tree))):
            function.returns = None
            for argument in ast.walk(function.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None


def late_imports(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Import inside of the functions that use a library; at the beginning only what is needed there."""
    own = {
        path.partition("/")[0].removesuffix(".py") for path in trees
    }  # others may import from where they are imported
    for tree in trees.values():
        for node in chosen(rng, [node for node in tree.body if _is_library(node, own)]):
            _import_late(tree, node)


def _is_library(node: ast.stmt, own: Collection[str]) -> bool:
    if isinstance(node, ast.ImportFrom):
        top = (node.module or "").partition(".")[0]
        return node.level == 0 and top not in {"__future__", *own} and node.names[0].name != "*"
    return isinstance(node, ast.Import) and all("." not in alias.name or alias.asname for alias in node.names)


def _import_late(tree: ast.Module, node: ast.stmt) -> None:
    assert isinstance(node, (ast.Import, ast.ImportFrom))
    names = {alias.asname or alias.name for alias in node.names}
    users = [function for function in functions_of(tree) if any(names & names_used(one) for one in function.body)]
    if any(names & set(_bound_otherwise(function)) for function in users):
        return
    for function in users:
        function.body.insert(body_place(function), statements(ast.unparse(node))[0])
    if not names & _used_at_import(tree):
        tree.body.remove(node)
        tree.body = tree.body or [ast.Pass()]


def _used_at_import(tree: ast.Module) -> set[str]:
    """Return the names that a module uses while it is imported: all but those inside of functions' bodies."""
    inside = {id(node) for function in functions_of(tree) for one in function.body for node in ast.walk(one)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in inside}


def other_aliases(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Import libraries under other names of the usual ones."""
    for tree in trees.values():
        for node in chosen(rng, [one for one in tree.body if isinstance(one, ast.Import) and len(one.names) == 1]):
            alias = node.names[0]
            if "." not in alias.name and alias.name not in trees and f"{alias.name}.py" not in trees:
                old, new = alias.asname or alias.name, fresh(trees, alias.name)
                alias.asname = new
                _rename(tree, old, new)


def self_tests(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Compare with torch at the end of a file, and end it with a part that runs as a script only."""
    for path, tree in trees.items():
        if "/" not in path:
            tree.body += statements('if __name__ == "__main__":\n    print("run as a script")')
        if "batch_norm" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            import_into(tree, "import torch")
            tree.body += statements(_COMPARISON)


_COMPARISON = """
_sample = torch.arange(24.0).view(2, 3, 2, 2)
_own = batch_norm(_sample, torch.ones(3), torch.zeros(3))[0]
print((_own - torch.nn.functional.batch_norm(_sample, None, None, training=True)).abs().max().item())
"""
