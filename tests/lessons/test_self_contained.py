"""A week is done from its page alone: what its reference uses is shown in code by then, and linked to its documents."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.course import Course

ROOT = Path(__file__).parents[2]
WEEKS = list(Course(ROOT).assignments())
PAGES = ["primer", *WEEKS]
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
URL = re.compile(r"\]\((https://[^)\s]+)\)")
LIBRARIES = ("torch", "torchvision", "numpy", "sklearn", "matplotlib", "PIL")
PYTHON = {f".{name}" for kind in (str, list, dict, set, Path) for name in dir(kind)}  # a reader knows where to look

# What no lesson shows, and why a reader does without it.
NOT_SHOWN = {
    **dict.fromkeys((".append", ".sort", ".items", "strict="), "Python's own, as any book on it has it"),
    "fontsize=": "a look, which is the reader's choice",
    "values_format=": "a look, which is the reader's choice",
    ".plot": "`from_predictions`, which is shown, makes and draws the matrix in one call",
}
# What has no page of its own: the name whose page, which is linked, tells of it.
TOLD_BY = {
    "torch.Tensor": "tensors",
    ".dataset": "torch.utils.data.DataLoader",
    ".indices": "torch.utils.data.Subset",
    ".in_features": "torch.nn.Linear",
    ".weight": "torch.nn.Conv2d",
    ".dtype": "tensor_attributes",
    ".flat": "matplotlib.pyplot.subplots",
    ".transform": "torchvision.datasets.MNIST",
    ".features": "torchvision.models.vgg11_bn",
    ".classifier": "torchvision.models.vgg11_bn",
    ".training": "torch.nn.Module.eval",
    "torch.nn.Parameter": "torch.nn.parameter.Parameter",
    "torch.distributions.Beta": "torch.distributions.beta.Beta",
    ".sample": "torch.distributions.beta.Beta",
}


def imports(tree: ast.AST) -> dict[str, str]:
    """Each name that a program imports, and what it stands for, dotted."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {
                a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names
            }
        elif isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def annotations(tree: ast.AST) -> set[ast.AST]:
    """All nodes that stand in annotations: nobody has to write them."""
    given = (getattr(node, key, None) for node in ast.walk(tree) for key in ("annotation", "returns"))
    return {inner for found in given if found is not None for inner in ast.walk(found)}


def uses(source: str) -> set[str]:
    """What a program uses: `torch.zeros`, a method or an attribute of something as `.mean`, a keyword as `dim=`."""
    tree = ast.parse(source)
    names, skipped = imports(tree), annotations(tree)

    def dotted(node: ast.AST) -> str | None:
        if isinstance(node, ast.Attribute):
            return f"{before}.{node.attr}" if (before := dotted(node.value)) else None
        return names.get(node.id) if isinstance(node, ast.Name) else None

    nodes = [node for node in ast.walk(tree) if node not in skipped]
    attributes = {dotted(node) or f".{node.attr}" for node in nodes if isinstance(node, ast.Attribute)}
    keywords = {f"{keyword.arg}=" for node in nodes if isinstance(node, ast.Call) for keyword in node.keywords}
    return attributes | keywords | {names[n.id] for n in nodes if isinstance(n, ast.Name) and n.id in names}


def made(source: str) -> set[str]:
    """What a program defines itself: attributes of `self`, functions, parameters."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {f".{node.attr}" for node in nodes if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"}
    found |= {f".{node.name}" for node in nodes if isinstance(node, ast.FunctionDef)}
    return found | {f"{node.arg}=" for node in nodes if isinstance(node, ast.arg)}


def page(name: str) -> str:
    return (ROOT / "assignments" / name / "README.md").read_text(encoding="utf-8")


def by_then(week: str) -> str:
    """The pages that a reader of this week has read: the primer, those before, this one."""
    return "\n".join(page(name) for name in PAGES[: PAGES.index(week) + 1])


def needed(week: str) -> Iterator[tuple[str, set[str]]]:
    """What each file of the reference uses and does not make, stretch tasks included, without the modules of names."""
    folder = ROOT / "solutions" / week
    modules = [folder / f"{module}.py" for module in Course(ROOT).assignment(week).modules]
    for file in (*modules, *folder.glob("stretch/*.py")):
        source = file.read_text(encoding="utf-8")
        found = uses(source) - made(source)
        yield file.name, {name for name in found if not any(other.startswith(f"{name}.") for other in found)}


def linked(name: str, urls: set[str]) -> bool:
    """Whether one of the addresses is that of this name's documentation."""
    wanted = TOLD_BY.get(name, name)
    last = re.escape(wanted.lstrip("."))
    pattern = rf"[./#]{last}(\.html)?$" if wanted.startswith(".") else rf"\b{last}(\.html|$)|/{last}\.html"
    return any(re.search(pattern, url) for url in urls)


@pytest.mark.parametrize("week", WEEKS)
def test_whatever_the_reference_uses_is_shown_in_code_by_then(week: str) -> None:
    shown = uses("\n".join(CODE.findall(by_then(week))))
    assert sorted({(name, file) for file, names in needed(week) for name in names - shown - NOT_SHOWN.keys()}) == []


@pytest.mark.parametrize("week", WEEKS)
def test_whatever_the_reference_uses_of_libraries_is_linked_by_then(week: str) -> None:
    urls = set(URL.findall(by_then(week)))
    used = {(name, file) for file, names in needed(week) for name in names - PYTHON - NOT_SHOWN.keys()}
    of_libraries = {(name, file) for name, file in used if name.split(".")[0] in ("", *LIBRARIES) and name[-1] != "="}
    assert sorted((name, file) for name, file in of_libraries if not linked(name, urls)) == []
