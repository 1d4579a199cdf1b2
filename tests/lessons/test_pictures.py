"""The notebooks of pictures: a cell that stops at a task that is to do leaves no half-filled results to later cells."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {file.parent.name: file.read_text(encoding="utf-8") for file in sorted(ROOT.glob("solutions/*/lesson.md"))}
CELL = re.compile(r"^```python\n(?:%%\w+\n)?(.*?)^```", re.MULTILINE | re.DOTALL)


def begun_empty(cell: str) -> set[str]:
    """What a cell makes empty, to fill it by and by."""
    made = [node for node in ast.parse(cell).body if isinstance(node, ast.Assign) and len(node.targets) == 1]
    sides = [
        (getattr(node.targets[0], "elts", [node.targets[0]]), getattr(node.value, "elts", None) or [node.value])
        for node in made
    ]
    pairs = [pair for names, values in sides if len(names) == len(values) for pair in zip(names, values, strict=True)]
    return {ast.unparse(name) for name, value in pairs if ast.unparse(value) in ("{}", "[]", "set()")}


def half_filled(source: str) -> list[str]:
    """The names that a cell begins empty and a later one reads: there they are, even if the first cell has failed."""
    cells, found = CELL.findall(source), []
    for number, cell in enumerate(cells):
        later = {
            node.id
            for other in cells[number + 1 :]
            for node in ast.walk(ast.parse(other))
            if isinstance(node, ast.Name)
        }
        found += sorted(begun_empty(cell) & later)
    return found


@pytest.mark.parametrize("week", SOURCES)
def test_a_cell_waits_for_results_that_are_not_there(week: str) -> None:
    assert half_filled(SOURCES[week]) == []


def test_a_name_that_is_begun_empty_is_found() -> None:
    source = "```python\n%%capture\na, b = [], 1\nfor i in f(): a.append(i)\n```\n\n```python\nprint(a, b)\n```\n"
    assert half_filled(source) == ["a"]
    assert half_filled(source.replace("print(a, b)", "a = 1").replace("a, b = [], 1", "b = 1")) == []
