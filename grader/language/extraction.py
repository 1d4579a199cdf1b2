"""Finds in the sources all that is to be translated.

Texts of the pages are arguments of `tr` and `later`, and of `tr` in templates. Messages that are kept in English are
arguments of `says`, and of the functions that raise or note one. An f-string, such as `f"{what}: wrong value"`, becomes
a pattern: `{what}: wrong value`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import jinja2
from jinja2 import nodes

from grader.language.catalogue import MESSAGE
from grader.language.po_file import Entry

PACKAGE = Path(__file__).parents[1]
# What makes a message, with the places of its texts among the arguments, and the names of others.
_MAKERS: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "says": ((0,), ()),
    "fail": ((0,), ("expected", "got", "because")),
    "true": ((1,), ("expected", "got")),
    "close": ((2,), ()),
    "near": ((2,), ()),
    "equal": ((2,), ()),
    "items": ((2,), ()),
    "CheckFailed": ((0,), ("expected", "got", "where", "because")),
    "ProbeEnded": ((1,), ()),
    "NotPlainData": ((0,), ()),
    "CodecError": ((0,), ()),
    "MissingModule": ((0,), ()),
    "NotInstalled": ((0,), ()),
    "SubmissionError": ((0,), ()),
    "notes.append": ((0,), ()),
}


def extracted(package: Path = PACKAGE) -> dict[tuple[str, str], set[str]]:
    """Return all texts, by context and text, each with the files that it stands in."""
    found: dict[tuple[str, str], set[str]] = {}
    for file in sorted(package.rglob("*")):
        if file.suffix not in (".py", ".j2") or file.is_relative_to(package / "author" / "templates"):
            continue
        source = file.read_text(encoding="utf-8")
        for entry in of_python(source) if file.suffix == ".py" else of_template(source):
            found.setdefault((entry.context, entry.text), set()).add(file.relative_to(package).as_posix())
    return found


def of_python(source: str) -> Iterator[Entry]:
    """Find the texts of a module."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node.func)
        if name in ("tr", "later"):
            yield from (Entry("", text) for text in _constants(node.args[0]))
        elif name in _MAKERS:
            places, keywords = _MAKERS[name]
            given = [arg for number, arg in enumerate(node.args) if number in places]
            given += [keyword.value for keyword in node.keywords if keyword.arg in keywords]
            yield from (Entry(MESSAGE, text) for one in given for text in _patterns(one))


def of_template(source: str) -> Iterator[Entry]:
    """Find the texts of a Jinja template."""
    for call in jinja2.Environment(autoescape=True).parse(source).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "tr":
            yield from (Entry("", const.value) for const in _template_constants(call.args[0]))


def _template_constants(node: nodes.Expr) -> Iterator[nodes.Const]:
    if isinstance(node, nodes.Const):
        yield node
    elif isinstance(node, nodes.CondExpr):
        yield from _template_constants(node.expr1)
        yield from _template_constants(node.expr2) if node.expr2 else ()


def _name(called: ast.expr) -> str:
    if isinstance(called, ast.Name):
        return called.id
    if isinstance(called, ast.Attribute) and called.attr == "append":
        owner = called.value
        return f"{owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, 'id', '')}.append"
    return called.attr if isinstance(called, ast.Attribute) else ""


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        raise TypeError(f"line {node.lineno}: `tr` takes a text with places for values, and the values beside it")


def _patterns(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _patterns(node.body)
        yield from _patterns(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value  # where a text has places for values, they are filled later
    elif isinstance(node, ast.JoinedStr):
        yield from joined(node)


def joined(node: ast.JoinedStr) -> Iterator[str]:
    """Yield the pattern of an f-string: its fields become places for values. One without letters is none."""
    text, names = "", list[str]()
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            names.append(_field(part.value, names))
            text += f"{{{names[-1]}}}"
        elif isinstance(part, ast.Constant):
            text += escaped(str(part.value))
    if any(letter.isalpha() for letter in _without_fields(text)):
        yield text


def _field(value: ast.expr, known: list[str]) -> str:
    """Name a field of an f-string by what stands in it, for those who translate."""
    names = [node.id if isinstance(node, ast.Name) else node.attr for node in ast.walk(value)
             if isinstance(node, (ast.Name, ast.Attribute))]  # fmt: skip
    plain = isinstance(value, (ast.Name, ast.Attribute))
    name = (names[0] if plain else names[-1] if names else "value").strip("_")
    number = sum(one.rstrip("0123456789") == name for one in known)
    return f"{name}{number + 1}" if number else name


def _without_fields(text: str) -> str:
    return "".join(literal for literal, *_ in Formatter().parse(text))


def escaped(text: str) -> str:
    """Return a text as a pattern has it, in which braces are places for values."""
    return text.replace("{", "{{").replace("}", "}}")
