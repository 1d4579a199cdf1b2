"""Rewrites the statements of functions: loops, results, and what stands around them."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator

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


def talking(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Print at import and in functions."""
    for path, tree in trees.items():
        for function in chosen(rng, list(functions_of(tree))):
            function.body.insert(body_place(function), statements(f"print({function.name!r})")[0])
        import_into(tree, f"print({path!r})")


def loops_for_comprehensions(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Build lists in loops."""
    for tree in trees.values():
        sites = [(body, node) for function in functions_of(tree) for body in _blocks(function) for node in body]
        for body, node in chosen(rng, [site for site in sites if _is_list(site[1])]):
            assert isinstance(node, ast.Assign)
            body[body.index(node) : body.index(node) + 1] = _as_loop(trees, node)


def _blocks(function: ast.FunctionDef) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements in a function, its own and those of loops, conditions and the like."""
    for node in ast.walk(function):
        yield from (block for name in ("body", "orelse", "finalbody") if (block := _block(node, name)))


def _block(node: ast.AST, name: str) -> list[ast.stmt]:
    found = getattr(node, name, None)
    return found if isinstance(found, list) else []


def _is_list(node: ast.stmt) -> bool:
    """Tell whether a statement is `name = [… for … in …]`."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.ListComp):
        return False
    simple = len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    (first, *more), own = node.value.generators, ast.unparse(node.targets[0])
    return simple and not more and not first.is_async and own not in names_used(node.value)


def _as_loop(trees: Trees, node: ast.Assign) -> list[ast.stmt]:
    value = copy.deepcopy(node.value)
    assert isinstance(value, ast.ListComp)
    loop = value.generators[0]
    for name in names_used(loop.target):  # the names of a comprehension are its own
        other = fresh(trees, name)
        for one in ast.walk(value):
            if isinstance(one, ast.Name) and one.id == name:
                one.id = other
    target = ast.unparse(node.targets[0])
    append = f"{target}.append({ast.unparse(value.elt)})"
    conditions = " and ".join(f"({ast.unparse(condition)})" for condition in loop.ifs) or "True"
    assert isinstance(node.value, ast.ListComp)
    values = ast.unparse(node.value.generators[0].iter)
    lines = f"{target} = []\nfor {ast.unparse(loop.target)} in {values}:\n"
    return statements(f"{lines}    if {conditions}:\n        {append}")


def named_results(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Give what is returned a name first."""
    for tree in trees.values():
        sites = [(body, node) for function in functions_of(tree) for body in _blocks(function) for node in body]
        for body, node in chosen(rng, [(b, n) for b, n in sites if isinstance(n, ast.Return) and n.value]):
            name = fresh(trees, "answer")
            assert isinstance(node, ast.Return)
            body[body.index(node) : body.index(node) + 1] = [
                ast.Assign([ast.Name(name, ast.Store())], node.value, lineno=0),  # type: ignore[arg-type]
                ast.Return(ast.Name(name, ast.Load())),
            ]


def other_tuples(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Return named tuples, or values that come out of a data class, in place of plain tuples."""
    for tree in trees.values():
        for function in functions_of(tree):
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and _is_plain(node.value):
                    node.value = _other_tuple(tree, fresh(trees, "Parts"), node.value, rng.random() < 0.5)


def _is_plain(node: ast.Tuple) -> bool:
    return bool(node.elts) and not any(isinstance(part, ast.Starred) for part in node.elts)


def _other_tuple(tree: ast.Module, name: str, node: ast.Tuple, named: bool) -> ast.expr:
    fields = [f"part{number}" for number in range(len(node.elts))]
    if named:
        kind = f"import collections\n{name} = collections.namedtuple({name!r}, {fields!r})"
    else:
        lines = "\n".join(f"    {field}: object" for field in fields)
        kind = f"import dataclasses\n@dataclasses.dataclass\nclass {name}:\n{lines}\n    def all(self):\n        "
        kind += "return tuple(vars(self).values())"
    tree.body[first_place(tree) : first_place(tree)] = statements(kind)
    made = f"{name}({', '.join(map(ast.unparse, node.elts))})"
    return ast.parse(made if named else f"{made}.all()", mode="eval").body


def guarded(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Put bodies into `try … finally`, or into autocasting that is switched off."""
    ways = ("try:\n    pass\nfinally:\n    pass", 'with torch.autocast(device_type="cpu", enabled=False):\n    pass')
    for tree in trees.values():
        for function in chosen(rng, [one for one in functions_of(tree) if "device" in _parameters(one)]):
            (block,) = statements(rng.choice(ways))
            assert isinstance(block, (ast.Try, ast.With))
            place = body_place(function)
            block.body, function.body[place:] = function.body[place:], [block]
            if isinstance(block, ast.With):
                import_into(tree, "import torch")


def _parameters(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def moved_models(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Move a model to the device that a function is given, though it is there."""
    for tree in trees.values():
        sites = [one for one in functions_of(tree) if {"model", "device"} <= {*_parameters(one)}]
        for function in chosen(rng, sites):
            line = rng.choice(["model.to(device)", "model = model.to(device)"])
            function.body.insert(body_place(function), statements(line)[0])


def watched_loops(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Show the progress of loops over data."""
    for tree in trees.values():
        names = ("train_loader", "loader", "iterator")
        loops = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.comprehension))]
        chosen_loops = chosen(rng, [node for node in loops if ast.unparse(node.iter) in names])
        for node in chosen_loops:
            node.iter = ast.parse(f"tqdm({ast.unparse(node.iter)}, leave=False)", mode="eval").body
        if chosen_loops:
            import_into(tree, "from tqdm import tqdm")
