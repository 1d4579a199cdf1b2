"""Tells what is done when a notebook's code is executed: what takes long, loads or shows things, and changes globals.

Own functions are followed into their bodies, and own classes into what makes their objects.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

from grader.inside import says
from grader.intake.notebook.statements import (
    DEFINITIONS,
    attribute_names,
    base_name,
    changed_names,
    executed,
    imported_names,
)

TRAINING, LOADING, OTHER = says("training run"), says("loading step"), says("other statement")
PLOT, PRINT = "plot", "print"

# Parts of what is called, whatever comes before and after them.
_PARTS = {
    TRAINING: {"backward", "step", "zero_grad", "fit", "train", "validate", "evaluate", "main", "no_grad", "eval"},
    LOADING: {
        "load", "hub", "datasets", "models", "save", "save_image", "savefig", "download", "open", "system", "popen",
        "urlretrieve", "mount", "input", "sleep", "subprocess", "requests", "urllib", "gdown", "fetch_openml", "exec",
        "read_csv", "quit", "exit", "breakpoint", "get_ipython", "inference_mode",
    },
    PLOT: {"show", "imshow", "plot", "figure", "subplots", "subplot"},
    PRINT: {"print", "display"},
}  # fmt: skip
_MAKERS = {"__init__", "__new__", "__post_init__", "__call__", "__init_subclass__"}


class Work:
    """Knows what a notebook's own functions do; `imported` are its names for libraries and what is in them."""

    def __init__(self, trees: Iterable[ast.Module]) -> None:
        self.imported: dict[str, str] = {}
        self._own: dict[str, list[ast.AST]] = defaultdict(list)
        self._classes: set[str] = set()
        self.has_plain_annotations = False  # by `from __future__ import annotations`
        self._aliases: dict[str, set[str]] = defaultdict(set)
        self._kinds: dict[str, str | None] = {}
        self._effects: dict[str, frozenset[str]] = {}
        for tree in trees:
            for node in ast.walk(tree):
                self._note(node)
        self.own = frozenset(self._own)

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self.imported |= imported_names(node)
            self.has_plain_annotations |= getattr(node, "module", None) == "__future__"
        elif isinstance(node, ast.Assign):
            self._alias([part.id for part in (*node.targets, node.value) if isinstance(part, ast.Name)])
        elif isinstance(node, ast.ClassDef):
            self._classes.add(node.name)
            self._own[node.name] += [part for part in node.body if _is_maker(part)]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._own[node.name].append(node)

    def _alias(self, names: list[str]) -> None:
        for name in names:
            self._aliases[name] |= {*names}

    def same(self, names: Iterable[str]) -> frozenset[str]:
        """Return the names, and others that may stand for the same object, since they were assigned to each other."""
        found, waiting = set(names), list(names)
        while waiting:
            new = self._aliases.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return frozenset(found)

    def kind(self, nodes: Iterable[ast.AST]) -> str | None:
        """Name the kind of work that executing these nodes is; None where it only builds something."""
        kinds = {self._call(node) for node in nodes if isinstance(node, ast.Call)}
        return next((kind for kind in (TRAINING, LOADING, PLOT) if kind in kinds), None)

    def _call(self, call: ast.Call) -> str | None:
        words = self._words(call.func)
        # An own function is judged by what it does, but `train`, `fit` and the like never only build.
        for word in words & self.own:
            kind = self._of(word)
            if kind:
                return kind
        if words & _PARTS[TRAINING] and not self._is_library(call.func):  # `torch.no_grad()` trains nothing
            return TRAINING
        return next((kind for kind in (LOADING, PLOT) if _PARTS[kind] & (words - self.own)), None)

    def _words(self, function: ast.expr) -> set[str]:
        """Return the parts of what is called; an imported name stands for its dotted name."""
        name = base_name(function) or ""
        return {*self.imported.get(name, name).split("."), *attribute_names(function)}

    def _is_library(self, function: ast.expr) -> bool:
        return base_name(function) in self.imported

    def _of(self, name: str) -> str | None:
        """Name the kind of work that calling an own function or class is."""
        if name not in self._kinds:
            self._kinds[name] = None  # for a function that calls itself
            inner = [part for node in self._own[name] for part in _body(node)]
            self._kinds[name] = self._evaluates(inner) or self.kind(inner)
        return self._kinds[name]

    def _evaluates(self, nodes: Iterable[ast.AST]) -> str | None:
        """Tell whether a body runs a network over data: it switches modes or gradients, and has a loop."""
        seen = list(nodes)
        calls = {word for node in seen if isinstance(node, ast.Call) for word in attribute_names(node.func)}
        loops = any(isinstance(node, (ast.For, ast.While)) for node in seen)
        return TRAINING if loops and calls & {"eval", "no_grad", "inference_mode"} else None

    def effects(self, nodes: Iterable[ast.AST]) -> frozenset[str]:
        """Return the globals that are set or changed by the own functions that are called here, or decorate."""
        called = [base_name(node.func) for node in _calls(nodes)]
        return frozenset().union(*(self._effects_of(name) for name in called if name in self.own))

    def _effects_of(self, name: str | None) -> frozenset[str]:
        if name is None or name in self._effects:
            return self._effects.get(name or "", frozenset())
        self._effects[name] = frozenset()
        inner = [part for node in self._own[name] for part in _body(node)]
        declared = {word for node in inner if isinstance(node, ast.Global) for word in node.names}
        local = {word for node in self._own[name] for word in _locals(node)} - declared
        found = {*declared, *changed_names(inner, self.own)} - local
        self._effects[name] = frozenset(found) | self.effects(inner)
        return self._effects[name]


def word_for(statement: ast.stmt, work: Work) -> str | None:
    """Name the kind of a statement that is left out; None for one that is not worth a word."""
    if isinstance(statement, (ast.Pass, *DEFINITIONS)) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, (ast.Constant, ast.Name))
    ):
        return None
    kind = work.kind(executed(statement))
    if kind is None and not isinstance(statement, (ast.For, ast.While, ast.With)):
        names = {base_name(call.func) for call in _calls([*ast.walk(statement)])}
        kind = PRINT if names & _PARTS[PRINT] else None
    return kind or (None if isinstance(statement, (ast.Assign, ast.AnnAssign)) else OTHER)


def _calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    for node in nodes:
        if isinstance(node, ast.Call):
            yield node
        elif isinstance(node, DEFINITIONS):  # `@register` calls as `register(f)` does, and a base may as well
            yield from (ast.Call(entry, [], []) for entry in (*node.decorator_list, *getattr(node, "bases", [])))


def _is_maker(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name in _MAKERS


def _body(node: ast.AST) -> Iterator[ast.AST]:
    for statement in getattr(node, "body", []):
        yield from ast.walk(statement)


def _locals(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.arg):
            yield inner.arg
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
