"""Makes mutants that nobody had to think of: applies general mistakes in PyTorch code to the reference, one at a time.

Each operator looks at one node of a module's syntax tree and proposes edits of the source's text. So a mutant differs
from the reference in a few characters only, and can be shown as one line.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from grader.author.release.skeleton import Region, find_regions

DROPPED_CALLS = ("zero_grad", "step", "backward", "eval", "train", "load_state_dict")
DROPPED_WRAPPERS = ("relu", "detach", "clone", "flatten", "to", "sqrt", "softmax", "deepcopy", "sorted", "contiguous")
CONTEXTS = ("no_grad", "inference_mode", "enable_grad", "set_grad_enabled")
LAYERS = ("ReLU", "Dropout", "BatchNorm2d", "BatchNorm1d", "MaxPool2d", "Conv2d", "Linear", "Flatten")
AXES = ("dim", "axis", "start_dim", "end_dim", "dims")
_SWAPPED_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.Pow: "*", ast.Mod: "//",
}  # fmt: skip
_SWAPPED_COMPARISONS: dict[type[ast.AST], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """Replaces characters `start` to `end` of the source by `text`."""

    operator: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class GeneratedMutant:
    """A generated mutant. Its id stays the same as long as the changed line, before and after, does."""

    id: str
    file: str
    line: int
    operator: str
    before: str
    after: str
    task: str
    source: str

    def apply(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        return {**files, self.file: self.source.encode("utf-8")}


def mutants_of(files: Mapping[str, bytes]) -> list[GeneratedMutant]:
    """Make every mutant of these modules' solutions that compiles and differs, in the order of the source."""
    made: dict[str, GeneratedMutant] = {}
    for name, content in sorted(files.items()):
        source = content.decode("utf-8")
        sources = {source}
        for edit in edits_of(source, name):
            changed = source[: edit.start] + edit.text + source[edit.end :]
            if changed in sources or not _compiles(changed):
                continue
            sources.add(changed)
            region = _region_at(source, name, edit)
            if region is not None:
                mutant = _made(name, source, changed, edit, region.task)
                number = Counter(other.partition("~")[0] for other in made)[mutant.id]
                unique = mutant.id if not number else f"{mutant.id}~{number + 1}"
                made[unique] = replace(mutant, id=unique)
    return list(made.values())


def edits_of(source: str, name: str) -> Iterator[Edit]:
    """Yield the edits of every operator on every node, whether or not the result compiles."""
    offsets = _line_offsets(source)
    tree = ast.parse(source, name)
    for node in ast.walk(tree):
        for operator in OPERATORS:
            for target, text in operator(node, source):
                start, end = _span(target, offsets, source)
                yield Edit(operator.__name__.strip("_").replace("_", "-"), start, end, text)


Proposal = tuple[ast.AST, str]


def _drop_call(node: ast.AST, source: str) -> Iterator[Proposal]:
    """Replace a statement that calls `optimizer.step()` and the like by `pass`."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _called(node.value) in DROPPED_CALLS:
        yield node, "pass"


def _drop_context(node: ast.AST, source: str) -> Iterator[Proposal]:
    """Turn `with torch.no_grad():` into an ordinary block."""
    if isinstance(node, ast.With):
        for item in node.items:
            if isinstance(item.context_expr, ast.Call) and _called(item.context_expr) in CONTEXTS:
                yield item.context_expr, "__import__('contextlib').nullcontext()"


def _drop_decorator(node: ast.AST, source: str) -> Iterator[Proposal]:
    if isinstance(node, ast.FunctionDef):
        for decorator in node.decorator_list:
            call = decorator.func if isinstance(decorator, ast.Call) else decorator
            if (call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")) in CONTEXTS:
                yield decorator, "(lambda function: function)"


def _drop_wrapper(node: ast.AST, source: str) -> Iterator[Proposal]:
    """Replace `F.relu(x)` and `x.relu()` by `x`; a layer of the model, `self.conv1(x)`, too."""
    if not isinstance(node, ast.Call):
        return
    name, function = _called(node), node.func
    own = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "self"
    if len(node.args) >= 1 and (own or (name in DROPPED_WRAPPERS and not _is_method(node))):
        yield node, f"({_text(node.args[0], source)})"
    elif name in DROPPED_WRAPPERS and isinstance(function, ast.Attribute):
        yield node, f"({_text(function.value, source)})"


def _drop_layer(node: ast.AST, source: str) -> Iterator[Proposal]:
    """Replace a layer in `nn.Sequential(…)` or in a list by `nn.Identity()`."""
    if isinstance(node, ast.Call) and _called(node) in LAYERS and isinstance(node.func, ast.Attribute):
        yield node, f"{_text(node.func.value, source)}.Identity()"


def _add_detach(node: ast.AST, source: str) -> Iterator[Proposal]:
    """Cut the graph at returned values, and at what goes into a layer."""
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for value in values:
            if isinstance(value, (ast.Name, ast.Call, ast.BinOp)):
                yield value, f"({_text(value, source)}).detach()"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 1:
        inner = node.func.value
        if isinstance(inner, ast.Name) and inner.id == "self" and isinstance(node.args[0], ast.Name):
            yield node.args[0], f"{node.args[0].id}.detach()"


def _shift_number(node: ast.AST, source: str) -> Iterator[Proposal]:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, float):
        yield node, repr(value * 2)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield node, str(value + 1)
        yield node, f"({value - 1})"


def _change_axis(node: ast.AST, source: str) -> Iterator[Proposal]:
    if not isinstance(node, ast.keyword) or node.arg not in AXES:
        return
    if isinstance(node.value, ast.Constant):
        yield node.value, "1" if node.value.value == 0 else "0"
    if isinstance(node.value, ast.Tuple):
        for index in range(len(node.value.elts)):
            rest = [_text(e, source) for i, e in enumerate(node.value.elts) if i != index]
            yield node.value, f"({', '.join(rest)},)"


def _swap_operator(node: ast.AST, source: str) -> Iterator[Proposal]:
    if isinstance(node, ast.BinOp) and (other := _SWAPPED_OPERATORS.get(type(node.op))):
        yield node, f"({_text(node.left, source)} {other} {_text(node.right, source)})"
    if isinstance(node, ast.AugAssign) and (other := _SWAPPED_OPERATORS.get(type(node.op))):
        yield node, f"{_text(node.target, source)} {other}= {_text(node.value, source)}"


def _swap_comparison(node: ast.AST, source: str) -> Iterator[Proposal]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and (other := _SWAPPED_COMPARISONS.get(type(node.ops[0]))):
        yield node, f"({_text(node.left, source)} {other} {_text(node.comparators[0], source)})"


def _flip_condition(node: ast.AST, source: str) -> Iterator[Proposal]:
    if isinstance(node, (ast.If, ast.IfExp)):
        yield node.test, f"(not ({_text(node.test, source)}))"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
        yield node, f"({_text(node.operand, source)})"
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, str(not node.value)


def _swap_arguments(node: ast.AST, source: str) -> Iterator[Proposal]:
    if isinstance(node, ast.Call) and len(node.args) >= 2 and not any(isinstance(a, ast.Starred) for a in node.args):
        first, second, *rest = [_text(argument, source) for argument in node.args]
        keywords = [
            f"{k.arg}={_text(k.value, source)}" if k.arg else f"**{_text(k.value, source)}" for k in node.keywords
        ]
        yield node, f"{_text(node.func, source)}({', '.join([second, first, *rest, *keywords])})"


def _drop_keyword(node: ast.AST, source: str) -> Iterator[Proposal]:
    if isinstance(node, ast.Call) and node.keywords:
        for index in range(len(node.keywords)):
            kept = [k for i, k in enumerate(node.keywords) if i != index]
            words = [f"{k.arg}={_text(k.value, source)}" if k.arg else f"**{_text(k.value, source)}" for k in kept]
            inner = ", ".join([*(_text(argument, source) for argument in node.args), *words])
            yield node, f"{_text(node.func, source)}({inner})"


def _return_part(node: ast.AST, source: str) -> Iterator[Proposal]:
    """Return only the first part of a tuple, or its parts in reverse order."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
        parts = [_text(part, source) for part in node.value.elts]
        yield node.value, parts[0]
        yield node.value, ", ".join(reversed(parts))


OPERATORS: tuple[Callable[[ast.AST, str], Iterator[Proposal]], ...] = (
    _drop_call, _drop_context, _drop_decorator, _drop_wrapper, _drop_layer, _add_detach, _shift_number, _change_axis,
    _swap_operator, _swap_comparison, _flip_condition, _swap_arguments, _drop_keyword, _return_part,
)  # fmt: skip


def _made(name: str, source: str, changed: str, edit: Edit, task: str) -> GeneratedMutant:
    line = _line_of(source, edit)
    before, after = source.splitlines()[line - 1].strip(), _changed_line(source, changed, edit)
    digest = hashlib.sha256(f"{before}\0{after}".encode()).hexdigest()[:6]
    stem = name.removesuffix(".py")
    return GeneratedMutant(f"{stem}-{edit.operator}-{digest}", name, line, edit.operator, before, after, task, changed)


def _changed_line(source: str, changed: str, edit: Edit) -> str:
    start = source.rfind("\n", 0, edit.start) + 1
    end = changed.find("\n", edit.start + len(edit.text))
    return " ".join(changed[start : end if end >= 0 else None].split())


def _line_of(source: str, edit: Edit) -> int:
    return source.count("\n", 0, edit.start) + 1


def _region_at(source: str, name: str, edit: Edit) -> Region | None:
    """Find the solution that the edit changes; None for lines that students are given."""
    line = _line_of(source, edit)
    return next((region for region in find_regions(source, name) if region.first < line < region.last), None)


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_method(node: ast.Call) -> bool:
    """Tell whether the call is a value's method, as in `x.relu()`, and not a module's function, as in `F.relu(x)`."""
    return isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("F", "torch", "nn", "copy", "math", "np", "numpy")
    )


def _text(node: ast.AST, source: str) -> str:
    return ast.get_source_segment(source, node) or ast.unparse(node)


def _line_offsets(source: str) -> list[int]:
    offsets = [0]
    for line in source.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    return offsets


def _span(node: ast.AST, offsets: list[int], source: str) -> tuple[int, int]:
    """Return a node's start and end in characters; the tree counts UTF-8 bytes within a line."""
    lines = source.splitlines(keepends=True)

    def place(line: int, column: int) -> int:
        return offsets[line - 1] + len(lines[line - 1].encode("utf-8")[:column].decode("utf-8"))

    return place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
