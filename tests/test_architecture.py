"""ARCHITECTURE.md shows the tree as it is: every room, the layers, files that exist, and terms that the code uses."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support.rooms import LAYERS, OLD_NAMES, PACKAGE, modules

TEXT = (PACKAGE.parent / ".github" / "ARCHITECTURE.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_package_and_every_module_of_the_top_has_one_line() -> None:
    folders = {file.parent.relative_to(PACKAGE).as_posix() for file in modules()} - {"."}
    rooms = folders | {file.name for file in PACKAGE.glob("*.py")}
    assert sorted(name.strip("`") for name, _ in rows("Rooms")) == sorted(rooms)


def test_the_layers_are_those_that_imports_are_held_to() -> None:
    drawn = section("Layers").split("```")[1].split("\n")
    assert [set(line.split()) for line in drawn if line] == list(LAYERS)
    assert {f"`{name}`" for name in OLD_NAMES} <= set(re.findall(r"`\w+`", section("Layers")))


@pytest.mark.parametrize("title", ["The path of a grade", "Where to add"])
def test_every_file_that_is_named_exists(title: str) -> None:
    names = re.findall(r"`([\w/]+(?:\.py|/))`", section(title))
    assert names
    assert [name for name in names if not (PACKAGE / name).exists()] == []


def test_the_path_of_a_grade_has_ten_steps() -> None:
    assert re.findall(r"^(\d+)\. ", section("The path of a grade"), re.MULTILINE) == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize("term", [term for term, _ in rows("Glossary")])
def test_every_term_of_the_glossary_is_used_in_the_code(term: str) -> None:
    word = re.compile(rf"(?<![a-z]){re.sub('[ -]', '[ _-]?', term)}(s|es)?(?![a-z])", re.IGNORECASE)
    assert any(word.search(file.read_text(encoding="utf-8")) for file in modules())


def test_every_term_is_defined_once() -> None:
    terms = [term for term, _ in rows("Glossary")]
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize("file", modules(), ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_the_first_line_of_a_module_says_what_it_does(file: Path) -> None:
    """`Reads …`, `Finds …`: no relative clause that a reader has to resolve, and no title."""
    first = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").split("\n")[0]
    assert re.match(r"[A-Z][a-z]+s |Coursework |The old name of |`python -m grader`", first), first
