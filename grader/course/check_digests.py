"""Digests for each check all that its verdict can depend on, so that only checks that a change touches run again.

A check depends on its own source, and on all that this names, directly or not, in the files of checks and probes.
A name is followed to everything that bears it, so a digest may change without need. Where code may compute a name
(`globals`, or `getattr` of a module), all statements count but the other checks.
Other files, such as fixtures and the reference, count as a whole. Comments and layout do not count.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from grader.course.assignment import Assignment, is_hidden
from grader.course.material import add_parts, fingerprint

COMPUTING = frozenset({"globals", "vars", "eval", "exec", "import_module", "__import__"})


class _Statement:
    """Holds a top-level statement of a file, and the names that it binds and uses."""

    def __init__(self, node: ast.stmt) -> None:
        self.check = node.name if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") else ""
        self.bound = _bound(node)
        self.dump = ast.dump(node).encode("utf-8", "surrogatepass")
        nodes = list(ast.walk(node))
        self.named = _names(nodes)
        self.computing = any(map(_computes_a_name, nodes))
        # pytest may run a fixture that nothing names
        self.is_fixture = any("fixture" in _names(ast.walk(one)) for one in getattr(node, "decorator_list", ()))


def _statements(file: Path) -> list[_Statement]:
    """Return the top-level statements of a file, without docstrings."""
    return _statements_of(file.read_text(encoding="utf-8"))


@lru_cache(maxsize=64)  # a watcher asks again on each save
def _statements_of(source: str) -> list[_Statement]:
    return [
        _Statement(node)
        for node in ast.parse(source).body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]


class _Source:
    """Holds the top-level statements of several files, and finds those that a name may mean."""

    def __init__(self, files: Mapping[Path, Iterable[_Statement]]) -> None:
        self.checks: dict[str, int] = {}
        self._statements: list[_Statement] = []
        self._binding: dict[str, list[int]] = {}
        self._always: list[int] = []  # statements that bind nothing may change what others have bound
        for file, statements in files.items():
            for statement in statements:
                self._add(statement, file)

    def _add(self, statement: _Statement, file: Path) -> None:
        number = len(self._statements)
        self._statements.append(statement)
        if statement.check:
            self.checks[f"{file.name}::{statement.check}"] = number
        for name in statement.bound:
            self._binding.setdefault(name, []).append(number)
        if not statement.bound or statement.is_fixture:
            self._always.append(number)

    def needed_by(self, check: int) -> list[bytes]:
        """Return the statements that a check may run or use, in the order of the files."""
        found = {check, *self._always}
        waiting = list(found)
        while waiting:
            statement = self._statements[waiting.pop()]
            if statement.computing:
                found = {*range(len(self._statements))} - {*self.checks.values()} | {check}
                break
            for name in statement.named & self._binding.keys():
                new = set(self._binding[name]) - found
                found |= new
                waiting += new
        return [self._statements[number].dump for number in sorted(found)]


def check_digests(assignment: Assignment) -> dict[str, str]:
    """Return a SHA-256 for each check's id, such as `test_week5.py::test_lenet_shapes`, without its parameters."""
    digests: dict[str, str] = {}
    statements = {file: _statements(file) for file in assignment.material if _holds_statements(file, assignment)}
    for hidden in (False, True):
        files = [file for file in assignment.material if hidden or not _is_within(file, assignment.hidden_folder)]
        parts = {file: statements[file] for file in files if file in statements}
        source = _Source(parts)
        whole = [file for file in files if file not in parts and file.name != "assignment.toml"]
        common = fingerprint(repr((assignment.modules, assignment.limits)).encode(), assignment.root, whole)
        for id, number in source.checks.items():
            if is_hidden(Path(id.partition("::")[0])) == hidden:
                sha = common.copy()
                add_parts(sha, *source.needed_by(number))
                digests[id] = sha.hexdigest()
    return digests


def desk_digests(assignment: Assignment) -> dict[str, str]:
    """Do the same for public checks at a student's desk, where a check depends on the code that it calls as well.

    What runs when a file of the student's is imported counts for all checks, as do files that are no Python, and what
    the name of a function stands for counts for those checks that lead to it.
    """
    checks = [file for file in assignment.material if _holds_statements(file, assignment)]
    checks = [file for file in checks if file.parent == assignment.folder]
    own = [file for file in sorted(assignment.folder.rglob("*.py")) if file not in checks]
    source = _Source({**{file: _statements(file) for file in checks}, **{file: _own_statements(file) for file in own}})
    digests = {}
    for id, number in source.checks.items():
        sha = hashlib.sha256()
        add_parts(sha, *source.needed_by(number))
        digests[id] = sha.hexdigest()
    return digests


def _own_statements(file: Path) -> list[_Statement]:
    """Return what an import of a student's file runs as one statement, and then its functions and classes."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return [_Statement(ast.Expr(ast.Constant(_content(file))))]
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    functions = [_Statement(node) for node in tree.body if isinstance(node, kinds)]
    for one in functions:
        one.check = ""  # a function of theirs that is called test_x is no check
        one.is_fixture = False
    imported = _Statement(_WhatRuns().visit(tree))
    imported.dump = file.name.encode("utf-8", "surrogatepass") + imported.dump
    return [imported, *functions]


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        return str(error).encode()


class _WhatRuns(ast.NodeTransformer):
    """Leaves of a module what runs when it is imported: no function's body, and nothing for its start as a program."""

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.body = []
        for one in ast.walk(node.args):
            if isinstance(one, ast.arg):
                one.arg = f"{one.arg}="  # no name that a function may have
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if "__name__" in _names(ast.walk(node.test)):
            return [found for one in node.orelse if isinstance(found := self.visit(one), ast.stmt)]
        return self.generic_visit(node)


def without_parameters(id: str) -> str:
    """Return the id that a check's digest is kept under."""
    return id.partition("[")[0]


def unchanged(ids: Iterable[str], before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    """Return the checks whose verdict can only be the same."""
    plain = {id: without_parameters(id) for id in ids}
    return {id for id, name in plain.items() if name in now and before.get(name) == now[name]}


def _is_within(file: Path, folder: Path | None) -> bool:
    return folder is not None and file.is_relative_to(folder)


def _holds_statements(file: Path, assignment: Assignment) -> bool:
    here = file.parent in (assignment.folder, assignment.hidden_folder)
    return here and file.suffix == ".py" and file.name.startswith(("test_", "probes"))


def _bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds; none where that cannot be told for sure."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        names = {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
        return set() if "*" in names else names
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        nodes = [node for target in targets for node in ast.walk(target)]
        if all(isinstance(node, ast.Name | ast.Tuple | ast.List | ast.Starred | ast.expr_context) for node in nodes):
            return {node.id for node in nodes if isinstance(node, ast.Name)}
    return set()


def _computes_a_name(node: ast.AST) -> bool:
    """Tell whether a node looks something up by a computed name, as `getattr` of a module of probes may."""
    match node:
        case ast.Name(id=name):  # not an attribute: a model has an eval()
            return name in COMPUTING
        case ast.Call(func=ast.Name(id="getattr"), args=[ast.Name(id=target), name, *_]):
            return target.startswith("probes") and not isinstance(name, ast.Constant)
    return False


def _names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return all that could be a name in these nodes; a string, too, since probes are looked up by it."""
    found = set()
    for node in nodes:
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                found.add(name)
            case ast.Constant(value=str(text)) if text.isidentifier():
                found.add(text)
    return frozenset(found)
