"""Rewrites names and what goes with them: locals, helpers, constants, hints, imports."""

from __future__ import annotations

import ast
import random
from collections.abc import Collection, Iterator

from grader.author.proof.rewriting.scopes import binders_of, uses_of
from grader.author.proof.rewriting.trees import (
    Trees,
    body_place,
    chosen,
    first_place,
    fresh,
    functions_of,
    import_into,
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
                new = fresh(trees, name)
                for part in function.body:  # a default of the same name is another's variable
                    _rename(part, name, new)


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
    own = {name for name in defined if not name.startswith("__")}  # `__getattr__` and the like are Python's names
    for name in chosen(rng, sorted(own - asked - _used_in_another_way(trees))):
        _rename_everywhere(trees, name, fresh(trees, f"own_{name.strip('_')}"))


def _used_in_another_way(trees: Trees) -> set[str]:
    """Return the words that stand for something else than a name somewhere, or for a name that is bound otherwise.

    Attributes, keywords, parameters, texts; what an `except`, a pattern, a `global` or another library's import names.
    """
    found: set[str] = set()
    own = own_modules(trees)
    for tree in trees.values():
        for node in ast.walk(tree):
            words = (getattr(node, name, None) for name in ("attr", "arg", "value", "module", "asname", "rest"))
            found |= {word for word in words if isinstance(word, str)}
            if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
                found.add(node.name or "")
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                found |= {*node.names}
            elif isinstance(node, (ast.Import, ast.ImportFrom)) and not _is_own(node, own):
                found |= {alias.name for alias in node.names}
    return found


def own_modules(trees: Trees) -> set[str]:
    return {path.partition("/")[0].removesuffix(".py") for path in trees}


def _is_own(node: ast.Import | ast.ImportFrom, own: Collection[str]) -> bool:
    """Tell whether names come from the program's own modules."""
    return isinstance(node, ast.ImportFrom) and (node.level > 0 or (node.module or "").partition(".")[0] in own)


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
    own = own_modules(trees)  # others may import from where they are imported
    for tree in trees.values():
        for node in chosen(rng, [node for node in tree.body if _is_library(node, own)]):
            _import_late(trees, tree, node)


def _is_library(node: ast.stmt, own: Collection[str]) -> bool:
    if isinstance(node, ast.ImportFrom):
        top = (node.module or "").partition(".")[0]
        return node.level == 0 and top not in {"__future__", *own} and node.names[0].name != "*"
    return isinstance(node, ast.Import) and all("." not in alias.name or alias.asname for alias in node.names)


def _import_late(trees: Trees, tree: ast.Module, node: ast.stmt) -> None:
    assert isinstance(node, (ast.Import, ast.ImportFrom))
    names = {alias.asname or alias.name for alias in node.names}
    if not all(_is_bound_alike(tree, name) for name in names):
        return
    used = {id(one) for name in names for one in uses_of(tree, name)}
    late = {
        id(function): {id(one) for part in function.body for one in ast.walk(part)} for function in functions_of(tree)
    }
    for function in functions_of(tree):
        if used & late[id(function)]:
            function.body.insert(body_place(function), statements(ast.unparse(node))[0])
    if not used - set().union(*late.values()) and not names & _given_to_others(trees, tree):
        tree.body.remove(node)
        tree.body = tree.body or [ast.Pass()]


def _is_bound_alike(tree: ast.Module, name: str) -> bool:
    """Tell whether only imports bind a module's variable, all the same, so that it always stands for the same."""
    binders = binders_of(tree, name)
    if not all(isinstance(one, ast.alias) for one in binders):
        return False
    sources = {
        (one.name, getattr(node, "module", None))
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for one in node.names
        if one in binders
    }
    return len(sources) == 1


def _given_to_others(trees: Trees, tree: ast.Module) -> set[str]:
    """Return the words by which other modules may ask for something of this one."""
    others = [other for other in trees.values() if other is not tree]
    nodes = [node for other in others for node in ast.walk(other)]
    imported = {one.name for node in nodes if isinstance(node, ast.ImportFrom) for one in node.names}
    return imported | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def other_aliases(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Import libraries under other names of the usual ones."""
    for tree in trees.values():
        for node in chosen(rng, [one for one in tree.body if isinstance(one, ast.Import) and len(one.names) == 1]):
            alias = node.names[0]
            name = alias.asname or alias.name
            own = alias.name in trees or f"{alias.name}.py" in trees
            if "." in name or own or not _is_bound_alike(tree, name) or name in _given_to_others(trees, tree):
                continue
            new, binders = fresh(trees, alias.name.replace(".", "_")), binders_of(tree, name)
            for use in uses_of(tree, name):
                use.id = new
            for binder in binders:
                assert isinstance(binder, ast.alias)
                binder.asname = new


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
