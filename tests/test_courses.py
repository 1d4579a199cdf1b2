"""Tests share their courses as folders, and no name of a fixture means two things."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.course import Course
from tests.support.courses import COURSES

TESTS = Path(__file__).parent
SOURCES = sorted(path for path in TESTS.rglob("*.py") if COURSES not in path.parents)
# What is tested there is how an assignment's text is read, so the text stands there.
PARSERS = {"course/test_assignment.py"}
ASSIGNMENT = re.compile(r"^modules\s*=", re.MULTILINE)
KINDS = {"course": "Course", "root": "Path"}


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def texts(tree: ast.Module) -> Iterator[str]:
    """Every literal text in a source, be it bytes or a part of a longer one."""
    for value in (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)):
        if isinstance(value, str | bytes):
            yield value if isinstance(value, str) else value.decode(errors="replace")


def copied(tree: ast.Module) -> Iterator[str]:
    """The names of the courses that a source copies."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "copied" and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value)


def fixtures(file: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.FunctionDef) and any("pytest.fixture" in ast.unparse(d) for d in node.decorator_list):
            yield node


def writes_an_assignment(tree: ast.Module) -> bool:
    return any(ASSIGNMENT.search(text) for text in texts(tree))


@pytest.mark.parametrize(
    ("source", "writes"),
    [
        ("""put(file, 'week = "week1"\\nmodules = ["a"]\\n')""", True),
        ("""put(file, f'week = "{week}"\\nmodules = {names}')""", True),
        ("""TOML = b'modules=["a"]'""", True),
        ("modules = ['a']", False),
        ("""with_settings(course, "[limits]\\nmemory_mb = 1")""", False),
    ],
)
def test_who_writes_an_assignment_is_seen(source: str, writes: bool) -> None:
    assert writes_an_assignment(ast.parse(source)) == writes


def test_no_other_test_writes_an_assignment_of_its_own() -> None:
    """Copy a course of tests/courses, and change there what the test is about."""
    writers = {file.relative_to(TESTS).as_posix() for file in SOURCES if writes_an_assignment(parsed(file))}
    assert writers == {*PARSERS, Path(__file__).name}


def test_no_two_files_have_a_fixture_of_one_name() -> None:
    """What several files need stands in the `conftest.py` above them."""
    places = defaultdict(list)
    for file in SOURCES:
        for fixture in fixtures(file):
            places[fixture.name].append(file.relative_to(TESTS).as_posix())
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_a_fixture_is_named_for_the_course_that_it_gives() -> None:
    """`…_course` is a `Course`, `…_root` is the path of one, and neither is a name by itself."""
    found = {fixture.name: fixture for file in SOURCES for fixture in fixtures(file)}
    kinds = {name: KINDS[name.rpartition("_")[2]] for name in found if name.rpartition("_")[2] in KINDS}
    assert KINDS.keys() & found.keys() == set()
    assert {name: ast.unparse(found[name].returns or ast.Constant(None)) for name in kinds} == kinds


def test_each_course_is_listed_used_and_reads() -> None:
    names = {path.name for path in COURSES.iterdir() if path.is_dir()}
    listed = re.findall(r"^\| (\w+) \|", (COURSES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == ["course", *sorted(names)]
    assert names == {name for file in SOURCES for name in copied(parsed(file))}
    for name in names - {"desk"}:  # a student's folder has no assignments
        assert Course(COURSES / name).assignments(), name
