"""Finds the sentences that public checks put into messages: what students read, beside titles and hints.

Such a sentence is a text with a blank in it, or what `says` marks: a word alone. An f-string becomes a pattern, as
`grader.language.extraction` makes them, and so does a sum of texts. Modules of the course that checks import, such as
those of `fixtures`, say some as well.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from string import Formatter

from grader.author.proof.static.source import Source
from grader.language.extraction import escaped, joined
from grader.language.texts import is_findable

_CODE = re.compile(r"[\w.]+\(.*\)|.*(?:\\[dswbDSWB]|\(\?|\.[*+]).*")  # a call, or a pattern of `re`
_UNREAD = ("run", "run_fresh", "compile", "fullmatch", "match", "search", "sub")  # what these get, no student reads
_FORMATS = (ast.JoinedStr, ast.BinOp)
_SCOPES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Sentence:
    """A sentence, as a pattern with places for values, and where it stands."""

    place: str
    text: str


def sentences_of(sources: Sequence[Source], root: Path) -> list[Sentence]:
    """Return the sentences of public checks, and those of the course's modules that they import, each once."""
    found: dict[str, Sentence] = {}
    for source in _with_imported(sources, root):
        for line, text in sorted(_Reader(source.tree).found, key=itemgetter(0)):
            found.setdefault(text, Sentence(f"{source.name}:{line}", text))
    return list(found.values())


def _with_imported(sources: Sequence[Source], root: Path) -> Iterator[Source]:
    waiting, seen = list(sources), {source.file for source in sources}
    while waiting:
        source = waiting.pop(0)
        yield source
        for file in dict.fromkeys(_imported(source, root)):
            if file not in seen:
                seen.add(file)
                waiting.append(Source.read(file, root))


def _imported(source: Source, root: Path) -> Iterator[Path]:
    for _, module, names in source.imports():
        place = root.joinpath(*module.split("."))
        for file in (place.with_suffix(".py"), place / "__init__.py", *(place / f"{name}.py" for name in names)):
            if file.is_file() and not file.is_relative_to(root / "grader"):
                yield file


class _Reader:
    """Reads one module, from the outside in: what is part of a greater text is none by itself."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[tuple[int, str]] = []
        self._split = {id(text) for function in ast.walk(tree) for text in _taken_apart(function)}
        self._read(tree)

    def _read(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr) and (texts := _texts(node)) is not None:
            if id(node) not in self._split:
                self.found += [(node.lineno, line) for text in texts for line in _lines(text)]
            for value in _values(node):
                self._read(value)
            return
        for child in _children(node):
            self._read(child)
        if isinstance(node, ast.Call) and _called(node) == "says" and node.args:
            words = _texts(node.args[0]) or ()
            self.found += [(node.lineno, text) for text in words if is_findable(_without_values(text))]


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may hold sentences: no docstring, no decorator, no receiver of a method, nothing that is compared."""
    if isinstance(node, ast.Compare):
        yield from (one for one in (node.left, *node.comparators) if not isinstance(one, ast.Constant))
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Constant):
            yield node.func
        if _called(node) not in _UNREAD:
            yield from (*node.args, *node.keywords)
    elif isinstance(node, _SCOPES):
        has_doc = ast.get_docstring(node, clean=False) is not None
        yield from node.body[has_doc:]
    else:
        yield from ast.iter_child_nodes(node)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _texts(node: ast.expr) -> list[str] | None:
    """Return the patterns that a text is; None for what is no text."""
    if isinstance(node, ast.Constant):
        return [escaped(node.value)] if isinstance(node.value, str) else None
    if not isinstance(node, _FORMATS) or not (parts := _parts(node)):
        return None
    made = (ast.JoinedStr(list(itertools.chain.from_iterable(one))) for one in itertools.product(*map(_either, parts)))
    return [text for one in made for text in joined(one)]


def _parts(node: ast.expr) -> list[ast.expr]:
    """Return the parts of an f-string, or of a sum that has a text in it; none of any other sum."""
    if isinstance(node, ast.JoinedStr):
        return node.values
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [_parts(node.left), _parts(node.right)]
        if any(sides):
            values = [ast.FormattedValue(side, -1) for side in (node.left, node.right)]
            return [part for side, value in zip(sides, values, strict=True) for part in side or [value]]
    return [node] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _either(part: ast.expr) -> list[list[ast.expr]]:
    """Return what may stand in the place of a part: each of two texts, where a condition chooses between them."""
    return [_parts(side) for side in _sides(part)] or [[part]]


def _sides(part: ast.expr) -> list[ast.expr]:
    value = part.value if isinstance(part, ast.FormattedValue) else None
    if isinstance(value, ast.IfExp) and _is_text(value.body) and _is_text(value.orelse):
        return [value.body, value.orelse]
    return []


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _values(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the values within a text, which may have texts of their own in them."""
    for part in _parts(node) if isinstance(node, _FORMATS) else ():
        if isinstance(part, ast.FormattedValue):
            if sides := _sides(part):
                yield from (deep for side in sides for deep in _values(side))
            else:
                yield part.value


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a pattern that are sentences: messages are found line by line."""
    for line in map(str.strip, text.split("\n")):
        words = _without_values(line)
        if " " in words and is_findable(words) and not _CODE.fullmatch(line):
            yield line


def _without_values(text: str) -> str:
    return "".join(literal for literal, *_ in Formatter().parse(text))


def _taken_apart(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the texts that a function names, and splits into words: they are a list."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call) and not node.args)
    names = {
        call.value.id
        for call in calls
        if isinstance(call, ast.Attribute) and call.attr == "split" and isinstance(call.value, ast.Name)
    }
    for node in ast.walk(function) if names else ():
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _named(target, node.value, names)
        elif isinstance(node, (ast.For, ast.comprehension)):
            for value in getattr(node.iter, "elts", ()):
                yield from _named(node.target, value, names)


def _named(target: ast.expr, value: ast.expr, names: set[str]) -> Iterator[ast.AST]:
    if isinstance(target, ast.Name) and target.id in names:
        yield from ast.walk(value)
    elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _named(one, other, names)
