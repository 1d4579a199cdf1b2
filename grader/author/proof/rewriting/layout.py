"""Rewrites how a program is laid out: its functions, classes and modules."""

from __future__ import annotations

import ast
import copy
import random

from grader.author.proof.rewriting.trees import (
    Trees,
    body_place,
    chosen,
    fresh,
    functions_of,
    import_into,
    names_used,
    statements,
)

Definition = (ast.FunctionDef, ast.ClassDef)


# functions and classes


def decorated(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Decorate functions with something that passes all on."""
    for tree in trees.values():
        name = fresh(trees, "passing_on")
        for function in chosen(rng, list(functions_of(tree))):
            function.decorator_list.append(ast.Name(name, ast.Load()))
        import_into(tree, f"import functools\n{_PASSING_ON.format(name=name)}")


_PASSING_ON = """
def {name}(function):
    @functools.wraps(function)
    def passed_on(*args, **kwargs):
        return function(*args, **kwargs)
    return passed_on
"""


def wrapped(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Put the work of a function into another one."""
    for tree in trees.values():
        sites = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in asked]
        for function in chosen(rng, sites):
            outer, inner = function.name, fresh(trees, f"do_{function.name}")
            function.name = inner
            call = f"def {outer}(*args, **kwargs):\n    return {inner}(*args, **kwargs)"
            tree.body[tree.body.index(function) + 1 : tree.body.index(function) + 1] = statements(call)


def more_parameters(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Add an optional parameter."""
    for tree in trees.values():
        sites = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in asked]
        for function in chosen(rng, sites):
            function.args.kwonlyargs.append(ast.arg(fresh(trees, "verbose")))
            function.args.kw_defaults.append(ast.Constant(False))


def lambdas(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Write functions of one expression as lambdas."""
    for tree in trees.values():
        sites = [node for node in tree.body if isinstance(node, ast.FunctionDef) and _is_expression(node)]
        for function in chosen(rng, sites):
            (*_, last), arguments = function.body, copy.deepcopy(function.args)
            for argument in ast.walk(arguments):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
            assert isinstance(last, ast.Return)
            value = ast.Lambda(arguments, last.value or ast.Constant(None))
            place = tree.body.index(function)
            tree.body[place] = ast.Assign([ast.Name(function.name, ast.Store())], value, lineno=0)


def _is_expression(function: ast.FunctionDef) -> bool:
    rest = function.body[body_place(function) :]
    return not function.decorator_list and len(rest) == 1 and isinstance(rest[0], ast.Return)


def base_classes(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Put the making of a network's layers into a class of its own, from which the network is derived."""
    for tree in trees.values():
        sites = [node for node in tree.body if isinstance(node, ast.ClassDef) and _method(node, "__init__")]
        for node in chosen(rng, [node for node in sites if len(node.bases) == 1 and not node.decorator_list]):
            init = _method(node, "__init__")
            assert init is not None
            name = fresh(trees, f"{node.name}Layers")
            node.body.remove(init)
            node.body = node.body or [ast.Pass()]
            (base,) = statements(f"class {name}({ast.unparse(node.bases[0])}):\n    pass")
            assert isinstance(base, ast.ClassDef)
            base.body = [init]
            for call in (one for one in ast.walk(init) if isinstance(one, ast.Call)):
                if ast.unparse(call.func) == "super" and call.args and ast.unparse(call.args[0]) == node.name:
                    call.args[0] = ast.Name(name, ast.Load())
            node.bases = [ast.Name(name, ast.Load())]
            tree.body.insert(tree.body.index(node), base)


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == name), None)


def resting_units(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Add dropout to a network, which is judged in evaluation mode."""
    for tree in trees.values():
        for node in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
            init, forward = _method(node, "__init__"), _method(node, "forward")
            if init is None or forward is None:
                continue
            sites = [one for one in ast.walk(forward) if isinstance(one, ast.Call) and _is_relu(one)]
            begun = next((place for place, one in enumerate(init.body, start=1) if _begins_module(one)), None)
            if begun is None:
                continue
            name = fresh(trees, "rest")
            for call in chosen(rng, sites):
                inner = copy.deepcopy(call)
                call.func, call.keywords = ast.parse(f"self.{name}", mode="eval").body, []
                call.args = [inner]
            if sites:
                init.body[begun:begun] = statements(f"self.{name} = nn.Dropout(0.02)")  # it may run before its end
                import_into(tree, "from torch import nn")


def _begins_module(node: ast.stmt) -> bool:
    """Tell whether a statement calls `__init__` of the class above."""
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"


def _is_relu(call: ast.Call) -> bool:
    return ast.unparse(call.func) in ("F.relu", "torch.relu", "nn.functional.relu")


# modules


def other_order(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Define functions and classes in another order, each after what it needs when it is defined."""
    for tree in trees.values():
        places = [place for place, node in enumerate(tree.body) if isinstance(node, Definition)]
        waiting = [tree.body[place] for place in places]
        if len({_name(node) for node in waiting}) < len(waiting):
            continue
        # Only what stands in a row changes places: a statement between may need what is before it.
        if places != list(range(places[0], places[0] + len(places))) if places else True:
            continue
        for place in places:
            later = {_name(node) for node in waiting}
            node = rng.choice([one for one in waiting if not later & _needed_at_once(one) - {_name(one)}])
            waiting.remove(node)
            tree.body[place] = node


def _name(node: ast.stmt) -> str:
    assert isinstance(node, Definition)
    return node.name


def _needed_at_once(node: ast.stmt) -> set[str]:
    """Return the names that a definition needs when it is executed: those outside of functions' bodies."""
    holder = ast.Module([node], [])
    inside = {id(one) for function in functions_of(holder) for part in function.body for one in ast.walk(part)}
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and id(one) not in inside}


def more_modules(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Move some definitions, with all of the module that they need, to a module or package of their own."""
    for path, tree in list(trees.items()):
        roots = [node for node in tree.body if isinstance(node, Definition)]
        if "/" in path or not roots:
            continue
        moved = _with_needs(tree, chosen(rng, roots))
        if moved is not None:
            _move(trees, path, moved, rng.random() < 0.5)


def _with_needs(tree: ast.Module, roots: list[ast.stmt]) -> list[ast.stmt] | None:
    """Return the definitions and what they need of their module, in its order; None where that cannot be told."""
    bound = {name: node for node in tree.body for name in _binds(node)}
    if len(bound) < sum(len(_binds(node)) for node in tree.body) or any(_is_complicated(node) for node in tree.body):
        return None
    needed: list[ast.stmt] = []
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.append(node)
            waiting += [bound[name] for name in names_used(node) if name in bound]
    return [node for node in tree.body if node in needed]


def _binds(node: ast.stmt) -> list[str]:
    """Return what a module's statement gives names to, other than by importing."""
    if isinstance(node, Definition):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return [one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
    return []


def _is_complicated(node: ast.stmt) -> bool:
    """Tell whether a statement may change what others need, so that none of them can be moved."""
    plain = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    script = isinstance(node, ast.If) and "__name__" in names_used(node.test)
    speaks = isinstance(node, ast.Expr) and (is_print(node) or isinstance(node.value, ast.Constant))
    relative = isinstance(node, ast.ImportFrom) and node.level > 0
    changes = any(isinstance(one, ast.Global) for one in ast.walk(node))  # an imported variable would stay as it was
    return relative or changes or not (isinstance(node, plain) or script or speaks)


def is_print(node: ast.Expr) -> bool:
    return isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "print"


def _move(trees: Trees, path: str, moved: list[ast.stmt], as_package: bool) -> None:
    tree, name = trees[path], fresh(trees, f"{path.removesuffix('.py')}_parts").replace("-", "_")
    imports = [copy.deepcopy(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = [one for node in moved for one in _binds(node)]
    place = tree.body.index(moved[0])
    tree.body = [node for node in tree.body if node not in moved]
    tree.body.insert(min(place, len(tree.body)), statements(f"from {name} import {', '.join(names)}")[0])
    # What comes from __future__ is first: it was first in the module, too.
    whole = ast.Module([*imports, *moved], [])
    if as_package:
        inner = ", ".join(names)
        trees[f"{name}/__init__.py"] = ast.parse(f"from .inner import {inner}\n")
        trees[f"{name}/inner.py"] = whole
    else:
        trees[f"{name}.py"] = whole
