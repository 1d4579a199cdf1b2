"""Tells in the student's words what a probe did: which of their functions it called, and with which arguments.

Both are read from the probe's source. So a probe needs nothing beside its code, and what a student's process says of
itself plays no part.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from grader.checks.describe import brief, clip

FEW_IN_CALL = 4  # numbers of an array; larger ones are not shown in full, so that other arguments are seen, too
LONGEST = 300
_OURS = ("device", "kit")  # what a student has that is no module of theirs
_ASKING = ("answer_of", "gradients_of")  # of the kit's functions those that call a model with their second argument
_DEEPEST = 3  # calls from a probe to its helpers

Path = tuple[str, ...]  # of what a name stands for: ("training",), or ("training", "fit")


@dataclass
class _Found:
    """What a probe's source holds: paths such as ("lenet", "LeNet"), and the texts of the calls."""

    paths: list[Path] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    then: list[str] = field(default_factory=list)  # calls of what a call has returned
    yielded: Path = ("", "", "")  # what a helper gives to a `with` of the probe's


@dataclass(frozen=True)
class Asked:
    """One run of a probe with its arguments."""

    probe: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def paths(self) -> list[Path]:
        """What the probe uses of the student's, as (module, name), in the order of its use."""
        return list(dict.fromkeys(self._found.paths))

    @property
    def names(self) -> list[str]:
        """The functions and classes of the student's that the probe uses, in the order of their use."""
        return list(dict.fromkeys(name for _, name in self._found.paths))

    @property
    def modules(self) -> list[str]:
        """The student's modules that these are from."""
        return list(dict.fromkeys(module for module, _ in self._found.paths))

    @property
    def text(self) -> str:
        """The call as a student would write it: `conv_output_size(6, 3, stride=2)`; empty where it is not known."""
        found = self._found
        first = found.calls[:1] if len(self.names) == 1 else []
        return clip(", then ".join([*first, *found.then[-1:]]) if first else "", LONGEST)

    def place(self, read: Callable[[str], str]) -> str:
        """Return file and line of the first of these functions; `read` returns a file's text, or nothing."""
        for module, name in self._found.paths[:1] if len(self.names) == 1 else ():
            file = f"{module}.py"
            found = re.search(rf"^[ \t]*(?:(?:async +)?def|class) +{re.escape(name)}\b", text := read(file), re.M)
            return f"{file}:{text.count(chr(10), 0, found.start()) + 1}" if found else ""
        return ""

    @cached_property
    def _found(self) -> _Found:
        found = _Found()
        bound = _bound(self.probe, self.args, self.kwargs)
        if bound is not None:
            _Reader(self.probe, next(iter(bound)), bound, found).read()
        return found


def _bound(probe: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the probe's arguments by name, the student first; None where they do not fit."""
    try:
        given = inspect.signature(probe).bind(None, *args, **kwargs)
    except (TypeError, ValueError):
        return None
    given.apply_defaults()
    return dict(given.arguments)


class _Reader:
    """Reads one function's source; helpers that are given the student are read with what is known of theirs."""

    def __init__(
        self, function: Callable[..., Any], student: str, bound: Mapping[str, Any], found: _Found, depth: int = 0
    ) -> None:
        self._function = function
        self._values = {name: value for name, value in bound.items() if name != student}
        self._known: dict[str, Path] = {student: ()}
        self._results: set[str] = set()
        self._tables: dict[str, ast.Dict] = {}  # a probe's own, by name
        self._entered_calls: set[ast.AST] = set()
        self._models: set[ast.AST] = set()  # calls whose result the kit asks
        self._found = found
        self._depth = depth

    def read(self) -> None:
        """Note the calls in the order in which they stand."""
        for node in _nodes(self._function):
            if isinstance(node, ast.Assign):
                self._assigned(node)
            elif isinstance(node, ast.With):
                self._entered(node)
            elif isinstance(node, ast.Call):
                self._called(node)
            elif isinstance(node, ast.Yield) and node.value is not None:
                self._found.yielded = self._path(node.value) or self._found.yielded
            elif isinstance(getattr(node, "ctx", None), ast.Load) and len(path := self._path(node) or ()) == 2:
                self._found.paths.append(path)

    def _assigned(self, node: ast.Assign) -> None:
        (target, *_), value = node.targets, node.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        for to, what in pairs:
            if not isinstance(to, ast.Name):
                continue
            path = self._path(what)
            if isinstance(what, ast.Dict):
                self._tables[to.id] = what
            elif path:
                self._known[to.id] = path
            elif self._begins_with_a_call(what):
                self._results.add(to.id)
                self._found.calls.append(f"{to.id} = {self._written(what)}")

    def _entered(self, node: ast.With) -> None:
        """Read `with helper(student) as name`: what the helper yields is the student's."""
        for item in node.items:
            helper = self._helper(item.context_expr)
            if helper is None or not isinstance(item.optional_vars, ast.Name):
                continue
            self._entered_calls.add(item.context_expr)
            inner = _Found()
            _Reader(*helper, {}, inner, self._depth + 1).read()
            self._known[item.optional_vars.id] = inner.yielded

    def _called(self, node: ast.Call) -> None:
        path = self._path(node.func)
        if path is not None and len(path) == 2:
            self._found.paths.append(path)
            self._found.calls.append(f"{'model = ' if node in self._models else ''}{self._written(node)}")
        elif (recording := self._of_the_kit(node.func)) and len(node.args) > 1:
            self._recorded(recording, node)
        elif isinstance(node.func, ast.Name) and node.func.id in self._results:
            self._found.then.append(self._written(node))
        elif node not in self._entered_calls and self._depth < _DEEPEST and (helper := self._helper(node)):
            values = {name: self._values[n] for name, n in _arguments(helper[0], node) if n in self._values}
            _Reader(*helper, values, self._found, self._depth + 1).read()

    def _of_the_kit(self, node: ast.AST) -> str | None:
        """Return which function of `student.kit` this is."""
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Attribute):
            return None
        return node.attr if node.value.attr == "kit" and self._path(node.value.value) == () else None

    def _recorded(self, name: str, node: ast.Call) -> None:
        """Note what the kit calls for the probe."""
        function, given, *more = node.args
        if name in _ASKING:
            self._models.add(function)
            self._found.then.append(f"model({self._written(given)})")
        elif name == "in_order" and isinstance(given, ast.Constant) and len(self._path(function) or ()) == 2:
            parts: list[ast.expr] = [ast.Name(part) for part in str(given.value).split()]
            self._found.calls.append(self._written(ast.Call(function, [*parts, *more], node.keywords)))

    def _helper(self, node: ast.AST) -> tuple[Callable[..., Any], str] | None:
        """Return the function of the probe's own module that a call hands the student to, and the name it has there."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            return None
        function = inspect.unwrap(self._function).__globals__.get(node.func.id)
        if not inspect.isfunction(function):
            return None
        function = inspect.unwrap(function)
        return next(((function, name) for name, n in _arguments(function, node) if self._known.get(n) == ()), None)

    def _path(self, node: ast.AST) -> Path | None:
        """Return what an expression stands for: () for the student, ("fcnn",) for a module, None for anything else."""
        if isinstance(node, ast.Name):
            return self._known.get(node.id)
        if isinstance(node, ast.IfExp):
            return self._path(node.body)
        if isinstance(node, ast.Attribute):
            return _longer(self._path(node.value), node.attr)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            name = self._values.get(node.args[1].id) if isinstance(node.args[1], ast.Name) else None
            return _longer(self._path(node.args[0]), name) if isinstance(name, str) else None
        return None

    def _begins_with_a_call(self, node: ast.AST) -> bool:
        """Tell whether an expression is a call of the student's, or a part of what it returns."""
        while isinstance(node, (ast.Subscript, ast.Attribute)):
            node = node.value
        return isinstance(node, ast.Call) and len(self._path(node.func) or ()) == 2

    def _written(self, node: ast.expr) -> str:
        return ast.unparse(
            _Filled(self._values, self._path, self._tables).visit(ast.parse(ast.unparse(node), mode="eval").body)
        )


class _Filled(ast.NodeTransformer):
    """Puts values where a probe's parameters stand, and leaves out where a function of the student's is from."""

    def __init__(
        self, values: Mapping[str, Any], path: Callable[[ast.AST], Path | None], tables: Mapping[str, ast.Dict]
    ) -> None:
        self._values = values
        self._path = path
        self._tables = tables

    def visit(self, node: ast.AST) -> Any:
        number = _number(node, self._values)
        return super().visit(node) if number is None else ast.Constant(number)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return node  # `images.shape` says more than a value's description with `.shape` behind it

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if self._value_of(node.value) is not None:
            return node  # as with an attribute
        if (found := self._looked_up(node)) is not None:
            filled: ast.AST = self.visit(ast.parse(ast.unparse(found), mode="eval").body)
            return filled
        return ast.Subscript(self.visit(node.value), self.visit(node.slice))

    def _looked_up(self, node: ast.Subscript) -> ast.expr | None:
        """Return what stands in a probe's own table under the name that an argument gives."""
        table = self._tables.get(node.value.id) if isinstance(node.value, ast.Name) else None
        name = self._value_of(node.slice)
        if table is None or not isinstance(name, str):
            return None
        pairs = zip(table.keys, table.values, strict=True)
        return next((value for key, value in pairs if isinstance(key, ast.Constant) and key.value == name), None)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        if isinstance(node.test, ast.Name) and node.test.id in self._values:
            chosen: ast.AST = self.visit(node.body if self._values[node.test.id] else node.orelse)
            return chosen
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(brief(self._values[node.id], FEW_IN_CALL)) if node.id in self._values else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        path = self._path(node.func)
        function = ast.Name(path[-1]) if path else self.visit(node.func)
        args = [filled for arg in node.args for filled in self._positional(arg)]
        return ast.Call(function, args, [filled for keyword in node.keywords for filled in self._named(keyword)])

    def _positional(self, node: ast.expr) -> Iterator[ast.expr]:
        value = self._value_of(node.value) if isinstance(node, ast.Starred) else None
        if isinstance(value, (tuple, list)):
            yield from (ast.Name(brief(entry, FEW_IN_CALL)) for entry in value)
        else:
            yield self.visit(node)

    def _named(self, keyword: ast.keyword) -> Iterator[ast.keyword]:
        value = self._value_of(keyword.value) if keyword.arg is None else None
        if isinstance(value, dict):
            yield from (ast.keyword(str(name), ast.Name(brief(entry, FEW_IN_CALL))) for name, entry in value.items())
        elif keyword.arg is not None:
            yield ast.keyword(keyword.arg, self.visit(keyword.value))

    def _value_of(self, node: ast.expr) -> Any:
        return self._values.get(node.id) if isinstance(node, ast.Name) else None


_MEASURES = ("numel", "size", "dim", "nelement", "item")  # methods of an array that give a number


def _number(node: ast.AST, values: Mapping[str, Any]) -> int | float | None:
    """Return what `len(images)`, `images.shape[0]` and the like come to; None for anything else."""
    if not isinstance(node, (ast.Call, ast.Subscript, ast.Attribute)) or not all(
        _is_measure(inner, values) for inner in ast.walk(node)
    ):
        return None
    try:
        found = eval(ast.unparse(node), {"__builtins__": {}, "len": len, **values})  # noqa: S307 - a probe's own words
    except Exception:
        return None
    return found if type(found) in (int, float) else None


def _is_measure(node: ast.AST, values: Mapping[str, Any]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in values or node.id == "len"
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name):
            return node.func.id == "len"
        return isinstance(node.func, ast.Attribute) and node.func.attr in _MEASURES
    return isinstance(node, (ast.Subscript, ast.Attribute, ast.Constant, ast.Slice, ast.expr_context))


def _arguments(function: Callable[..., Any], node: ast.Call) -> list[tuple[str, str]]:
    """Return those arguments of a call that are names: (what the function calls it, what it is called here)."""
    names = list(inspect.signature(function).parameters)
    given = [*zip(names, node.args, strict=False), *((str(k.arg), k.value) for k in node.keywords)]
    return [(name, value.id) for name, value in given if isinstance(value, ast.Name)]


def _longer(path: Path | None, name: str) -> Path | None:
    return (*path, name) if path is not None and len(path) < 2 and (path or name not in _OURS) else None


def _position(node: ast.AST) -> tuple[int, int]:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


@lru_cache(maxsize=512)  # a check runs a probe for each of its examples
def _nodes(function: Callable[..., Any]) -> tuple[ast.AST, ...]:
    """Return what a function's source consists of, in the order in which it stands; nobody may change it."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # no source; a lambda in the middle of a line
        return ()
    return tuple(sorted((node for node in ast.walk(tree) if hasattr(node, "lineno")), key=_position))
