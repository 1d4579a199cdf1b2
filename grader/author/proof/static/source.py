"""Holds a Python file of a week as its author wrote it, and the faults found in it, each with its line."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader.course.toml_file import meant

Fault = tuple[str, str]  # a place, as file:line, and a sentence


@dataclass
class Source:
    """A parsed file; `tree` is empty where it does not parse, which is one fault."""

    file: Path
    root: Path
    faults: list[Fault] = field(default_factory=list)
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []))

    @classmethod
    def read(cls, file: Path, root: Path) -> Source:
        source = cls(file, root)
        try:
            source.tree = ast.parse(file.read_bytes())
        except SyntaxError as error:
            source.fault(error.lineno or 1, f"this is no Python: {error.msg}; mend it")
        except (OSError, ValueError) as error:
            source.fault(1, f"cannot be read ({error}); mend it")
        return source

    @property
    def name(self) -> str:
        return self.file.relative_to(self.root).as_posix()

    def fault(self, line: int, text: str) -> None:
        """Note a fault, once."""
        if (fault := (f"{self.name}:{line}", text)) not in self.faults:
            self.faults.append(fault)

    def functions(self) -> list[ast.FunctionDef]:
        """Return the functions at the top level."""
        return [node for node in self.tree.body if isinstance(node, ast.FunctionDef)]

    def refuse_twice(self) -> None:
        """Note each function or class that a later one of its name replaces."""
        seen: dict[str, int] = {}
        for node in self.tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                if node.name in seen:
                    self.fault(node.lineno, f"{node.name} stands in line {seen[node.name]} as well; rename one of them")
                seen[node.name] = node.lineno

    def imports(self) -> Iterator[tuple[int, str, tuple[str, ...]]]:
        """Yield the line, the module and the names of each import, wherever it stands; relative ones begin with `.`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name, ()) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                yield node.lineno, module, tuple(alias.name for alias in node.names)

    def refuse_imports(self, libraries: Collection[str], what: str) -> None:
        """Note each import that is neither of Python's own modules nor of these libraries."""
        for line, module, _ in self.imports():
            top = module.split(".")[0]
            if top not in libraries and top not in sys.stdlib_module_names:
                listed = ", ".join(libraries)
                self.fault(line, f"{what} imports {module}; it may import Python's own modules and {listed}")

    def imported(self, module: str) -> Iterator[list[str]]:
        """Yield what each `from module import …` names."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module == module:
                yield [alias.name for alias in node.names]

    def refuse_unknown_attributes(self, module: str, known: Collection[str]) -> None:
        """Note `module.name` for each name that the module has not."""
        bound = {name for name in _assigned(self.tree) if name == module}
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Attribute) or node.attr in known or bound:
                continue
            if isinstance(node.value, (ast.Name, ast.Attribute)) and ast.unparse(node.value) == module:
                self.fault(node.lineno, f"there is no {module}.{node.attr}; {meant(node.attr, sorted(known))}")


def _assigned(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
