"""A notebook turned into the week's modules: its definitions, and only what they need. Nothing is executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.cells import MOST_NOTES, Cell, Notebook, read_notebook

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BUILTINS = {"abs", "bool", "dict", "float", "frozenset", "int", "len", "list", "max", "min"} | {
    "range",
    "round",
    "set",
    "sorted",
    "str",
    "sum",
    "tuple",
    "zip",
}
# A cell may load data or plot at its top level; no module should do that when it is imported.
_BUSY = re.compile(
    r"load|read|open|dataset|mnist|cifar|save|show|plot|figure|seed|download|urlretrieve|system|run", re.I
)


@dataclass(frozen=True)
class _Statement:
    """A top-level statement, its source, its cell's number, and the module it belongs to (None for all)."""

    node: ast.stmt
    text: str
    cell: int
    home: str | None

    @property
    def binds(self) -> set[str]:
        return set(_bound(self.node))


def modules_from_notebook(raw: bytes, name: str, modules: Sequence[str]) -> tuple[dict[str, bytes], list[str]]:
    """The files that a notebook holds, by relative path, and notes on what was left out.

    Definitions go to every module of the week, those of a labelled cell to that module alone. A notebook without
    definitions gives no files; one that is damaged raises `SubmissionError`.
    """
    notebook = read_notebook(raw, name, modules)
    statements = [statement for cell in notebook.cells for statement in _statements(cell)]
    imported = {bound for s in statements if _imports_only(s.node) for bound in s.binds}
    files: dict[str, bytes] = {}
    used: set[int] = set()
    for module in modules:
        own = [s for s in statements if s.home in (None, module)]
        kept = _kept(own, imported)
        used |= {id(s) for s in kept}
        if any(isinstance(s.node, _DEFINITIONS) for s in kept):
            files[f"{module}.py"] = _source(kept, module, modules).encode()
    files |= {path: text.encode() for path, text in notebook.written.items()}
    return files, _notes(notebook, name, [s for s in statements if id(s) not in used])


def _statements(cell: Cell) -> Iterator[_Statement]:
    for node in cell.tree.body:
        yield _Statement(node, _text(node, cell.lines), cell.number, cell.home)


def _text(node: ast.stmt, lines: Sequence[bytes]) -> str:
    """The student's own lines, comments and all, unless they hold other statements as well."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    text = b"\n".join(lines[first - 1 : node.end_lineno]).decode()
    try:
        same = [ast.dump(found) for found in ast.parse(text).body] == [ast.dump(node)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        same = False
    return text if same else ast.unparse(node)


def _kept(statements: Sequence[_Statement], imported: set[str]) -> list[_Statement]:
    """Imports and definitions, and the plain assignments that these use, directly or not; in their order."""
    kept = [s for s in statements if isinstance(s.node, _DEFINITIONS) or _imports_only(s.node)]
    waiting = [s for s in statements if _is_plain_assignment(s.node, imported)]
    needed = {name for s in kept for name in _read(s.node)}
    while found := [s for s in waiting if s.binds & needed]:
        kept += found
        waiting = [s for s in waiting if s not in found]
        needed |= {name for s in found for name in _read(s.node)}
    return [s for s in statements if s in kept]


def _imports_only(node: ast.stmt) -> bool:
    """An import, or a `try` around imports."""
    if isinstance(node, ast.Try):
        inner = [*node.body, *(statement for handler in node.handlers for statement in handler.body)]
        return not (node.orelse or node.finalbody) and all(isinstance(s, ast.Pass) or _imports_only(s) for s in inner)
    return isinstance(node, ast.Import | ast.ImportFrom)


def _bound(node: ast.stmt) -> Iterator[str]:
    for inner in [node] if isinstance(node, _DEFINITIONS) else ast.walk(node):
        if isinstance(inner, _DEFINITIONS):
            yield inner.name
        elif isinstance(inner, ast.alias):
            yield inner.asname or inner.name.split(".")[0]
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id


def _read(node: ast.stmt) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _is_plain_assignment(node: ast.stmt, imported: set[str]) -> bool:
    if isinstance(node, ast.Assign):
        targets = [n for target in node.targets for n in ast.walk(target) if isinstance(n, ast.expr)]
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    else:
        return False
    plain_targets = all(isinstance(target, ast.Name | ast.Tuple | ast.List) for target in targets)
    return plain_targets and node.value is not None and _is_plain(node.value, imported)


def _is_plain(value: ast.expr, imported: set[str]) -> bool:
    """Whether an expression is cheap and without effect, as far as its form tells."""
    for node in ast.walk(value):
        if isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr):
            return False
        if isinstance(node, ast.Call) and not _is_plain_call(node, imported):
            return False
    return True


def _is_plain_call(call: ast.Call, imported: set[str]) -> bool:
    called = ast.unparse(call.func)
    if not re.fullmatch(r"[\w.]+", called):
        return False
    return called in _BUILTINS or (called.split(".")[0] in imported and not _BUSY.search(called))


def _source(kept: Sequence[_Statement], module: str, modules: Sequence[str]) -> str:
    defined = {name for s in kept if not _imports_only(s.node) for name in s.binds}
    first: list[str] = []
    rest: list[str] = []
    for statement in kept:
        node = statement.node
        if not isinstance(node, ast.ImportFrom):
            rest.append(statement.text)
        elif node.module == "__future__":
            first.append(statement.text)
        elif text := _import_from(node, statement.text, module, modules, defined):
            rest.append(text)
    return "\n\n".join([*first, *rest]) + "\n"


def _import_from(node: ast.ImportFrom, text: str, module: str, modules: Sequence[str], defined: set[str]) -> str:
    """An import without the names that the notebook itself defines; a module cannot import from itself."""
    source = (node.module or "").split(".")[-1]
    if source not in modules:
        return text
    left = [] if source == module else [a for a in node.names if (a.asname or a.name) not in defined]
    return ast.unparse(ast.ImportFrom(node.module, left, node.level)) if left else ""


def _notes(notebook: Notebook, name: str, unused: Sequence[_Statement]) -> list[str]:
    notes = list(notebook.notes)
    counted = [f"{count} x {kind}" for kind, count in sorted(notebook.left_out.items())]
    if counted:
        notes.append(f"left out of {name}: {', '.join(counted)}")
    cells = sorted({s.cell for s in unused if not isinstance(s.node, ast.Pass) and not _is_text(s.node)})
    if cells:
        shown = ", ".join(map(str, cells[:MOST_NOTES])) + (", …" if len(cells) > MOST_NOTES else "")
        notes.append(f"left out of {name}: statements that define nothing, in code cells {shown}")
    return notes[:MOST_NOTES]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
