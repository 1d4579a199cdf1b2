"""Reads files of probes: what they import, and whether one decides what only the grader may decide.

A probe runs beside the student's code, which can change any decision that is made there. So it returns values, and the
check compares them. Functions that only help probes may compare, as where they choose what stands in for the student's.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Collection, Iterator

from grader.author.proof.static.source import Source

_CLOSE = ("allclose", "isclose", "array_equal", "assert_close", "assert_allclose", "assert_equal", "approx")
_DECIDING = ("bool", "all", "any", "equal", *_CLOSE)


def read_probes(source: Source, libraries: Collection[str]) -> None:
    """Note what is wrong in a file of probes."""
    source.refuse_twice()
    source.refuse_imports(libraries, "a probe")
    if any(isinstance(node, ast.Attribute) and node.attr == "kit" for node in ast.walk(source.tree)):
        kit = importlib.import_module("grader.inside.kit")  # it imports torch
        source.refuse_unknown_attributes("student.kit", kit.__all__)
    helpers = {one.name for one in source.functions() if not _is_probe(one) and _decides(one, set())}
    for function in filter(_is_probe, source.functions()):
        for line, does in _verdicts(function, helpers):
            why = "it runs beside the student's code; return the values, and let the check compare"
            source.fault(line, f"the probe {function.name} {does}: {why}")


def _is_probe(function: ast.FunctionDef) -> bool:
    arguments = [*function.args.posonlyargs, *function.args.args]
    return bool(arguments) and arguments[0].arg == "student"


def _verdicts(function: ast.FunctionDef, helpers: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield each place where a probe decides, and what it does there."""
    if _decides(function, helpers):
        yield function.lineno, "returns a verdict"
        return
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            yield node.lineno, "asserts"
        elif isinstance(node, ast.Call) and _name(node) in _CLOSE:
            yield node.lineno, f"compares with {_name(node)}"


def _decides(function: ast.FunctionDef, helpers: Collection[str]) -> bool:
    """Tell whether a function returns nothing but whether something holds."""
    decided = _decided(function, helpers)
    values = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
    plain = [isinstance(value, ast.Constant) and type(value.value) is bool for value in values]
    verdicts = [_is_verdict(value, decided, helpers) for value in values]
    return (any(verdicts) or sum(plain) > 1) and all(a or b for a, b in zip(plain, verdicts, strict=True))


def _decided(function: ast.FunctionDef, helpers: Collection[str]) -> set[str]:
    """Return the names that hold whether something holds."""
    assigned = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    verdicts = [node for node in assigned if _is_verdict(node.value, (), helpers)]
    return {target.id for node in verdicts for target in node.targets if isinstance(target, ast.Name)}


def _is_verdict(node: ast.expr, decided: Collection[str], helpers: Collection[str]) -> bool:
    """Tell whether an expression is True or False by a comparison that is made here."""

    def within(part: ast.expr) -> bool:
        return _is_verdict(part, decided, helpers)

    if isinstance(node, ast.Call):
        inner = [*node.args, *(keyword.value for keyword in node.keywords)]
        deciding = _name(node) in _DECIDING and any(map(within, inner))
        return deciding or _name(node) in (*_CLOSE, *helpers) or _name(node) == "equal"
    if isinstance(node, (ast.Dict, ast.List, ast.Tuple)):
        parts = node.values if isinstance(node, ast.Dict) else node.elts
        return bool(parts) and all(map(within, parts))
    if isinstance(node, (ast.GeneratorExp, ast.ListComp)):
        return within(node.elt)
    if isinstance(node, ast.BoolOp):
        return any(map(within, node.values))
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    return isinstance(node, ast.Compare) or (isinstance(node, ast.Name) and node.id in decided)


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
