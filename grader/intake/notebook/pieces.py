"""Sorts the statements of a notebook's cells: imports, definitions and values, and the rest that is left out.

Values are assignments whose right-hand side is simple: literals, names, operators, and calls that only build
something (`torch.device("cpu")`, `nn.CrossEntropyLoss()`). A call of the notebook's own function counts as a
value, too, but is only kept where a definition cannot be executed without it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from grader.intake.notebook.cells import Cell
from grader.intake.notebook.statements import (
    DEFINITIONS,
    attribute_names,
    base_name,
    bound_names,
    early_names,
    imported_names,
    loaded_names,
    source_of,
)

IMPORT, DEFINITION, VALUE, CALL = "import", "definition", "value", "call"

_LOOPS = (ast.For, ast.While, ast.With)
_TRAINING = {"train", "fit", "validate", "evaluate", "backward", "step", "zero_grad", "main"}
_PRINTING = {"print", "display"}
_PLOTTING = {"plt", "fig", "ax", "axes", "sns", "imshow", "plot", "show"}

# Libraries whose calls build things without reading, downloading, showing or training anything, and their exceptions.
_BUILDING = {
    "torch", "torchvision", "numpy", "math", "collections", "functools", "itertools", "operator", "typing",
    "dataclasses", "enum", "pathlib", "re", "string", "random", "logging", "fractions", "decimal",
}  # fmt: skip
_BUSY = {"load", "hub", "datasets", "models", "save", "save_image", "download", "open", "system", "utils"}
_BUILTIN_CALLS = {
    "range", "len", "dict", "list", "tuple", "set", "frozenset", "str", "int", "float", "bool", "complex", "max",
    "min", "sum", "abs", "round", "sorted", "zip", "enumerate", "map", "filter", "reversed", "slice", "object",
    "property", "staticmethod", "classmethod", "type", "divmod", "pow", "ord", "chr", "isinstance",
}  # fmt: skip
_SIMPLE = (
    ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp,
    ast.BoolOp, ast.Compare, ast.Subscript, ast.Slice, ast.IfExp, ast.JoinedStr, ast.FormattedValue, ast.Starred,
    ast.Lambda, ast.arguments, ast.arg, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
    ast.comprehension, ast.keyword, ast.Call, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """One statement that may be kept. `early` are the names that it needs as soon as it is executed."""

    kind: str
    text: bytes
    cell: int
    home: str | None
    binds: frozenset[str]
    uses: frozenset[str]
    early: frozenset[str]

    @property
    def is_future(self) -> bool:
        """Tell whether it has to come first in its module."""
        return self.text.startswith(b"from __future__")

    @property
    def is_sweeping(self) -> bool:
        """Tell whether it matters although nothing asks for its names."""
        return self.is_future or "*" in self.binds


class Sorter:
    """Sorts the statements of a notebook's cells, in order; counts by kind those that are no pieces."""

    def __init__(self, modules: Collection[str], present: Collection[str], defined: Collection[str]) -> None:
        self.left_out: Counter[str] = Counter()
        self._modules = modules
        self._present = present
        self._defined = defined
        self._imported: dict[str, str] = {}  # names to the dotted names of what they stand for

    def pieces(self, cell: Cell) -> Iterator[Piece]:
        """Yield the pieces of one cell."""
        for statement in cell.tree.body:
            kind = self._kind(statement)
            if kind is None:
                self._leave_out(statement)
            elif isinstance(statement, ast.ImportFrom) and self._is_own(statement):
                yield from (_made(kind, line, cell) for line in self._own_import(statement))
            elif isinstance(statement, (ast.Import, ast.ImportFrom)):
                yield from (_made(kind, line, cell) for line in _single_imports(statement, statement.names))
            else:
                yield _piece(kind, statement, source_of(statement, cell.lines), cell)

    def _kind(self, statement: ast.stmt) -> str | None:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            self._imported |= imported_names(statement)
            return IMPORT
        if isinstance(statement, DEFINITIONS):
            return DEFINITION
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            return self._assignment(statement)
        if isinstance(statement, (ast.If, ast.Try)):
            return self._block(statement)
        return None

    def _assignment(self, statement: ast.Assign | ast.AnnAssign) -> str | None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if statement.value is None:
            return None
        kind = self._expression(statement.value)
        if kind and all(_is_names(target) for target in targets):
            return kind
        # `LeNet.forward = forward` completes a class, so it stays with the definitions.
        return DEFINITION if kind == VALUE and all(self._is_method(target) for target in targets) else None

    def _is_method(self, target: ast.expr) -> bool:
        return isinstance(target, ast.Attribute) and base_name(target) in self._defined

    def _block(self, statement: ast.If | ast.Try) -> str | None:
        """Keep an `if` or `try` if all that is in it may be kept, as in `try: import tqdm … except ImportError: …`."""
        if isinstance(statement, ast.If):
            inner = [*statement.body, *statement.orelse]
            if "__name__" in loaded_names(statement.test) or self._expression(statement.test) != VALUE:
                return None
        else:
            handled = [line for handler in statement.handlers for line in handler.body]
            inner = [*statement.body, *handled, *statement.orelse, *statement.finalbody]
        kinds = {self._kind(line) for line in inner if not isinstance(line, ast.Pass)}
        if None in kinds or CALL in kinds:
            return None
        return VALUE if kinds <= {VALUE} else DEFINITION

    def _expression(self, value: ast.expr) -> str | None:
        """Return VALUE for a simple expression, CALL where it calls the notebook's own code, else None."""
        nodes = list(ast.walk(value))
        if not all(isinstance(node, _SIMPLE) for node in nodes):
            return None
        calls = {self._call(node) for node in nodes if isinstance(node, ast.Call)}
        return None if None in calls else CALL if CALL in calls else VALUE

    def _call(self, call: ast.Call) -> str | None:
        name, attributes = base_name(call.func), attribute_names(call.func)
        if name is None:
            return VALUE  # a method of a literal, or of what another call gave, which is judged by itself
        if name in self._defined:
            return CALL
        if name in self._imported:
            parts = {*self._imported[name].split("."), *attributes}
            is_building = self._imported[name].partition(".")[0] in _BUILDING and not parts & _BUSY
            return VALUE if is_building else None
        if not attributes:
            return VALUE if name in _BUILTIN_CALLS else None
        return None if _BUSY & attributes or _TRAINING & attributes else VALUE

    def _is_own(self, statement: ast.ImportFrom) -> bool:
        """Tell whether it imports from one of the week's modules."""
        return (statement.module or "").rpartition(".")[2] in self._modules and not self._is_library(statement)

    @staticmethod
    def _is_library(statement: ast.ImportFrom) -> bool:
        top = (statement.module or "").partition(".")[0]
        return statement.level == 0 and top in _BUILDING

    def _own_import(self, statement: ast.ImportFrom) -> Iterator[ast.stmt]:
        """Yield imports of what only a module beside the notebook can have: what the notebook defines is there."""
        for name in statement.names:
            if name.name in self._defined and name.asname:
                yield ast.parse(f"{name.asname} = {name.name}").body[0]
        if (statement.module or "").rpartition(".")[2] in self._present:
            missing = [name for name in statement.names if name.name not in self._defined]
            yield from _single_imports(statement, missing)

    def _leave_out(self, statement: ast.stmt) -> None:
        kind = _leftover(statement)
        if kind:
            self.left_out[kind] += 1


def defined_in(cells: Collection[Cell]) -> frozenset[str]:
    """Return the functions and classes at the top level of the cells."""
    return frozenset(line.name for cell in cells for line in cell.tree.body if isinstance(line, DEFINITIONS))


def _single_imports(statement: ast.Import | ast.ImportFrom, names: list[ast.alias]) -> Iterator[ast.stmt]:
    """Yield a line for each name, so that those that are not needed can be left out."""
    for name in names:
        if isinstance(statement, ast.Import):
            yield ast.Import([name])
        else:
            yield ast.ImportFrom(statement.module, [name], statement.level)


def _made(kind: str, line: ast.stmt, cell: Cell) -> Piece:
    return _piece(
        kind if isinstance(line, (ast.Import, ast.ImportFrom)) else VALUE, line, ast.unparse(line).encode(), cell
    )


def _piece(kind: str, statement: ast.stmt, text: bytes, cell: Cell) -> Piece:
    binds = frozenset(bound_names(statement))
    return Piece(kind, text, cell.number, cell.home, binds, loaded_names(statement), frozenset(early_names(statement)))


def _is_names(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(_is_names(entry) for entry in target.elts)
    return isinstance(target, ast.Name)


def _leftover(statement: ast.stmt) -> str | None:
    """Name the kind of a statement that is left out; None for one that is not worth a word."""
    if isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, (ast.Constant, ast.Name))
    ):
        return None
    calls = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
    words = {word for call in calls for word in ({base_name(call)} | attribute_names(call)) if word}
    if words & _TRAINING:
        return "training run"
    if words & _PLOTTING:
        return "plot"
    if words & _PRINTING and not isinstance(statement, _LOOPS):
        return "print"
    return "other statement"
