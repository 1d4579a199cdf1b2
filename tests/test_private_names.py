"""No test touches a private name of another module, so that the inside of a module is free to change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
KIT = {"grader", "tests"}
DOCUMENTED = {"os._exit"}  # public, for all its name


def is_private(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last.startswith("_") and not last.endswith("__")


def imported(tree: ast.Module) -> set[str]:
    """The names that a module has from the kit."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    ours = [node for node in nodes if origin(node) in KIT]
    return {(alias.asname or alias.name).partition(".")[0] for node in ours for alias in node.names}


def origin(node: ast.Import | ast.ImportFrom) -> str:
    return (node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name).partition(".")[0]


def touched(source: str) -> Iterator[str]:
    """Private names of others in a test's source: attributes, imports, and what is patched by its name."""
    tree = ast.parse(source)
    ours = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and ast.unparse(node.value) not in ("self", "cls"):
            yield from {ast.unparse(node)} - DOCUMENTED
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("setattr", "getattr"):
            words = [word.value for word in node.args[:2] if isinstance(word, ast.Constant)]
            named = [word for word in words if isinstance(word, str) and is_private(word)]
            root = ast.unparse(node.args[0]).partition(".")[0]
            yield from (word for word in named if root in ours or word.partition(".")[0] in KIT)


def test_each_way_to_a_private_name_is_known() -> None:
    source = """
import torch
from grader import course, _secret
course.x._read(self._own, cls._own, course.__file__)
patch.setattr(course, "_course", 1)
patch.setattr("grader.course._course", 1)
patch.setattr(torch.cuda, "_lazy_call", print)
"""
    assert sorted(touched(source)) == ["_course", "_secret", "course.x._read", "grader.course._course"]


@pytest.mark.parametrize("file", sorted(TESTS.rglob("*.py")), ids=lambda file: file.relative_to(TESTS).as_posix())
def test_no_test_touches_a_private_name_of_another_module(file: Path) -> None:
    assert list(touched(file.read_text(encoding="utf-8"))) == []
