"""Finds the files that a grade depends on, and takes their digest."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from grader.errors import CourseError

_TEXT = {".py", ".toml"}


def fixtures_of(checks: Iterable[Path], fixtures: Path) -> list[Path]:
    """Find the modules of `fixtures` that these files import, directly or not, and the data files that they name."""
    found: set[Path] = set()
    waiting = list(checks)
    while waiting:
        file = waiting.pop()
        new = set(_files_used(file, fixtures)) - found
        found |= new
        waiting += [path for path in new if path.suffix == ".py"]
    return sorted(found)


def _files_used(file: Path, fixtures: Path) -> Iterator[Path]:
    if file.suffix != ".py":
        return
    source = file.read_text(encoding="utf-8")
    try:
        names = _imported_fixtures(source, inside=file.is_relative_to(fixtures))
    except SyntaxError as error:
        raise CourseError(f"{file}:{error.lineno}: this does not parse ({error.msg}); mend it") from error
    for name in names:
        yield from (path for path in (fixtures / f"{name}.py", fixtures / "__init__.py") if path.is_file())
        yield from (fixtures / name).rglob("*.py")
    for data in fixtures.glob("*"):
        if data.is_file() and data.suffix != ".py" and data.name in source:
            yield data


@lru_cache(maxsize=256)  # assignments share fixtures
def _imported_fixtures(source: str, inside: bool) -> tuple[str, ...]:
    """Find `digits` in `from fixtures import digits`, `import fixtures.digits` and, inside, `from . import digits`."""
    found = []
    for node in _imports(ast.parse(source).body):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        else:
            package = f"fixtures.{node.module or ''}" if node.level and inside else node.module or ""
            dotted = [f"{package.rstrip('.')}.{alias.name}" for alias in node.names]
        parts = [name.split(".") for name in dotted]
        found += [part[1] for part in parts if part[0] == "fixtures" and len(part) > 1]
    return tuple(found)


def _imports(statements: Iterable[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield all imports in statements, nested ones included; expressions hold none, so they are not searched."""
    for node in statements:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _imports(getattr(node, name, ()))


def fingerprint(domain: bytes, root: Path, files: Iterable[Path]) -> hashlib._Hash:
    """Return a SHA-256 over names and contents, the same on systems that write line ends differently."""
    sha = hashlib.sha256(domain + b"\0")
    for file in files:
        content = file.read_bytes()
        if file.suffix in _TEXT:
            content = content.replace(b"\r\n", b"\n")
        add_parts(sha, file.relative_to(root).as_posix().encode(), content)
    return sha


def add_parts(sha: hashlib._Hash, *parts: bytes) -> None:
    """Add each part with its length before it, so that other parts never make the same bytes."""
    for part in parts:
        sha.update(len(part).to_bytes(8, "big") + part)
