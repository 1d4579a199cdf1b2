"""The rooms of `grader`, their layers, and what each file imports: for the tests that hold the tree to its plan."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "grader"

# From the top down. What stands on one line does not import each other. ARCHITECTURE.md says what each room is for.
LAYERS = (
    {"__main__"},
    {"cli"},
    {"desk"},
    {"batch", "author"},
    {"judging", "kernel", "watching"},
    {"pytest_plugin", "exports", "similarity"},
    {"reports"},
    {"intake", "gradebook", "version", "history"},
    {"checks", "sandbox", "course", "files", "people"},
    {"scratch"},
    {"results", "escape", "janitor", "choices", "language"},
    {"errors"},
    {"inside"},
)
OLD_NAMES = {"expect", "show", "answers"}  # modules of one line that lead to `checks`, for a release


def modules() -> list[Path]:
    return sorted(file for file in PACKAGE.rglob("*.py") if "templates" not in file.parts)


def room(file: Path) -> str:
    """Name the package (or the module of `grader` itself) that a file belongs to."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(file: Path) -> Iterator[str]:
    """List what of `grader` a file imports, wherever in it, as dotted names."""
    package = ".".join(file.relative_to(PACKAGE.parent).parent.parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            module = ".".join(filter(None, (above, node.module)))
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "grader")
