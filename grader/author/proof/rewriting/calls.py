"""Rewrites expressions: each family below begins with a form that the others may stand for."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator

from grader.author.proof.rewriting.trees import Trees, chosen, import_into

# A name of one letter after an underscore stands for any expression.
FAMILIES = (
    ("F.relu(_x)", "torch.relu(_x)", "_x.relu()", "nn.functional.relu(_x)", "nn.ReLU()(_x)"),
    ("F.max_pool2d(_x, _n)", "F.max_pool2d(_x, kernel_size=_n)", "nn.MaxPool2d(_n)(_x)", "F.max_pool2d(_x, _n, _n)"),
    ("F.avg_pool2d(_x, _n)", "F.avg_pool2d(_x, kernel_size=_n)", "nn.AvgPool2d(_n)(_x)"),
    ("_x.flatten(start_dim=1)", "torch.flatten(_x, 1)", "nn.Flatten()(_x)", "_x.flatten(1)"),
    (
        "_x.argmax(dim=1)",
        "torch.argmax(_x, 1)",
        "_x.max(dim=1).indices",
        "torch.max(_x, 1)[1]",
        "_x.topk(1, 1)[1][:, 0]",
    ),
    (
        "_x.softmax(dim=1)",
        "F.softmax(_x, dim=1)",
        "torch.softmax(_x, 1)",
        "nn.Softmax(1)(_x)",
        "_x.log_softmax(1).exp()",
    ),
    ("_x.unsqueeze(0)", "_x[None]", "torch.unsqueeze(_x, 0)", "torch.stack([_x])"),
    ("_x.item()", "_x.squeeze().item()", "_x.squeeze().tolist()"),
    ("_x.to(device)", "_x.to(device, non_blocking=True)", "_x.to(device=device)"),
    ("optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=False)", "optimizer.zero_grad(set_to_none=True)"),
    ("_a / 255", "_a * (1 / 255)", "_a / 255.0"),
    ("100.0 * _a / _b", "100.0 * (_a / _b)", "_a / _b * 100.0", "_a * 100.0 / _b"),
    ("_a < _b", "_b > _a"),
    ("_a == _b", "_b == _a"),
    ("_x.float()", "_x.to(torch.float32)", "_x.type(torch.float32)"),
    ("_x.double()", "_x.to(torch.float64)"),
    ("(_a == _b).float().mean()", "torch.eq(_a, _b).float().mean()", "(_a == _b).sum() / len(_b)"),
    ("(_a == _b).sum().item()", "int((_a == _b).sum())", "torch.eq(_a, _b).sum().item()", "sum((_a == _b).tolist())"),
    ("_x.numel()", "_x.nelement()"),
    ("_x.parameters()", "(value for _, value in _x.named_parameters())"),
    ("nn.ReLU()", "nn.ReLU(inplace=True)"),
    ("nn.Dropout(0.5)", "nn.Dropout(p=0.5)"),
    ("nn.MaxPool2d(kernel_size=2)", "nn.MaxPool2d(2)", "nn.MaxPool2d(2, stride=2)"),
    ("nn.AdaptiveAvgPool2d(7)", "nn.AdaptiveAvgPool2d((7, 7))"),
    ("torch.cat(_x)", "torch.cat(_x, dim=0)", "torch.concat(_x)"),
    ("float('inf')", "math.inf", "1e99"),
)
LIBRARIES = {
    "F": "import torch.nn.functional as F",
    "nn": "from torch import nn",
    "torch": "import torch",
    "math": "import math",
}
_PARSED = [[ast.parse(form, mode="eval").body for form in family] for family in FAMILIES]


def equal_expressions(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Write expressions in another form that gives the same."""
    for tree in trees.values():
        sites = [(node, family, found) for node in _rewritable(tree) for family, found in _readings(node)]
        for node, family, found in chosen(rng, sites):
            form = rng.choice(family)
            if _evaluates_twice(form, found):
                continue
            _replace(node, _filled(form, found))
        _import_what_is_missing(tree)


def _rewritable(tree: ast.Module) -> list[ast.expr]:
    """Return the calls, comparisons and divisions of a module, inner ones first, so that outer ones take them along."""
    kinds = (ast.Call, ast.Compare, ast.BinOp)
    return [node for node in reversed([*ast.walk(tree)]) if isinstance(node, kinds)]


def _readings(node: ast.expr) -> Iterator[tuple[list[ast.expr], dict[str, ast.expr]]]:
    """Yield each family that the expression belongs to, and what stands for the letters."""
    for family in _PARSED:
        found: dict[str, ast.expr] = {}
        if _matches(family[0], node, found):
            yield family, found


def _matches(form: object, node: object, found: dict[str, ast.expr]) -> bool:
    if isinstance(form, ast.Name) and _is_letter(form.id):
        if not isinstance(node, ast.expr):
            return False
        same = found.setdefault(form.id, node)
        return same is node or ast.dump(same) == ast.dump(node)
    if isinstance(form, ast.AST):
        return type(form) is type(node) and all(
            _matches(value, getattr(node, name, None), found) for name, value in ast.iter_fields(form)
        )
    if isinstance(form, list):
        return isinstance(node, list) and len(form) == len(node) and all(map(_matches, form, node, [found] * len(form)))
    return form == node


def _is_letter(name: str) -> bool:
    return len(name) == 2 and name[0] == "_"


def _evaluates_twice(form: ast.expr, found: dict[str, ast.expr]) -> bool:
    letters = [node.id for node in ast.walk(form) if isinstance(node, ast.Name) and _is_letter(node.id)]
    twice = {letter for letter in letters if letters.count(letter) > 1}
    return any(not isinstance(found[letter], ast.Name) for letter in twice)


class _Filling(ast.NodeTransformer):
    def __init__(self, found: dict[str, ast.expr]) -> None:
        self.found = found

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy.deepcopy(self.found[node.id]) if _is_letter(node.id) else node


def _filled(form: ast.expr, found: dict[str, ast.expr]) -> ast.expr:
    filled: ast.expr = _Filling(found).visit(copy.deepcopy(form))
    return filled


def _replace(node: ast.expr, other: ast.expr) -> None:
    """Make the node itself another one, since its parent is not known."""
    node.__class__ = type(other)
    node.__dict__.clear()
    node.__dict__.update(other.__dict__)


def _import_what_is_missing(tree: ast.Module) -> None:
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    bound = {
        (alias.asname or alias.name).partition(".")[0]
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    for name, line in LIBRARIES.items():
        if name in used and name not in bound:
            import_into(tree, line)


LAZY = {"Linear": ("LazyLinear", "in_features"), "Conv2d": ("LazyConv2d", "in_channels"),
        "BatchNorm2d": ("LazyBatchNorm2d", "num_features")}  # fmt: skip


def lazy_layers(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Let layers find out the width of their input by themselves, where a network makes its own and sets no weights."""
    sites = [
        call
        for tree in trees.values()
        for network in ast.walk(tree)
        if isinstance(network, ast.ClassDef) and not _sets_weights(network)
        for function in network.body
        if isinstance(function, ast.FunctionDef) and function.name == "__init__"
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and _layer(call) and _has_width(call)
    ]
    for call in chosen(rng, sites):
        assert isinstance(call.func, ast.Attribute)
        call.func.attr, width = LAZY[call.func.attr]
        named = [keyword for keyword in call.keywords if keyword.arg != width]
        call.args, call.keywords = (call.args if len(named) < len(call.keywords) else call.args[1:]), named


def _sets_weights(network: ast.ClassDef) -> bool:
    """Tell whether a class uses weights before its first forward pass: a lazy layer has none by then."""
    functions = [one for one in network.body if isinstance(one, ast.FunctionDef) and one.name != "forward"]
    nodes = (node for function in functions for node in ast.walk(function))
    return any(isinstance(node, ast.Attribute) and node.attr in ("weight", "bias", "parameters") for node in nodes)


def _layer(call: ast.Call) -> bool:
    function = call.func
    in_nn = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "nn"
    return in_nn and isinstance(function, ast.Attribute) and function.attr in LAZY


def _has_width(call: ast.Call) -> bool:
    """Tell whether the input's width is an argument that can be left out: given by position or name, not unpacked."""
    assert isinstance(call.func, ast.Attribute)
    given = bool(call.args) or any(keyword.arg == LAZY[call.func.attr][1] for keyword in call.keywords)
    return given and not any(isinstance(argument, ast.Starred) for argument in call.args)


def no_graph(trees: Trees, rng: random.Random, asked: frozenset[str]) -> None:
    """Switch gradients off in another way."""
    for tree in trees.values():
        for function in tree.body:
            if not isinstance(function, ast.FunctionDef):
                continue  # a layer's own buffers may not come from inference mode
            for block in [node for node in ast.walk(function) if isinstance(node, ast.With)]:
                for item in block.items:
                    if ast.unparse(item.context_expr) in ("torch.no_grad()", "torch.inference_mode()"):
                        way = rng.choice(["torch.no_grad()", "torch.inference_mode()", "torch.set_grad_enabled(False)"])
                        item.context_expr = ast.parse(way, mode="eval").body
