"""Says what the checks of a week cost in lines: `python -m grader.author.lines week5`, or of all weeks without a name.

A check costs the lines of its function and of the probes that it runs, each shared among the checks that run it, and so
on with what these use of the same file. Blank lines count nothing.
"""

from __future__ import annotations

import argparse
import ast
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.course import Assignment, find_course, is_hidden
from grader.errors import GraderError


def costs(checks: Path, probes: Path) -> dict[str, float]:
    """Return the lines that each check of a file costs, by the name of its function."""
    found = _functions(checks) | {f"probes.{name}": one for name, one in _functions(probes).items()}
    names = set(found)
    used = {name: set(_uses(node, names, name.startswith("probes."))) - {name} for name, (node, _) in found.items()}
    tests = [
        name for name, (node, _) in found.items() if name.startswith("test_") and isinstance(node, ast.FunctionDef)
    ]
    reached = {test: _reached(test, used) for test in tests}
    shared = Counter(name for names in reached.values() for name in names)
    return {test: sum(found[name][1] / shared[name] for name in reached[test]) for test in tests}


def _functions(file: Path) -> dict[str, tuple[ast.AST, int]]:
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    found: dict[str, tuple[ast.AST, int]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            found[node.name] = (node, sum(1 for line in lines[first - 1 : node.end_lineno] if line.strip()))
    return found


def _uses(node: ast.AST, known: set[str], is_probe: bool) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield from {f"probes.{one.id}" if is_probe else one.id} & known
        elif isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "probes":
            yield from {f"probes.{one.attr}"} & known


def _reached(name: str, used: dict[str, set[str]]) -> set[str]:
    found, waiting = set[str](), [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += used[one]
    return found


def of_week(assignment: Assignment) -> dict[str, float]:
    """Return what each check of a week costs, by file and function."""
    found: dict[str, float] = {}
    for file in assignment.check_files:
        part = "_hidden" if is_hidden(file) else file.stem.removeprefix(f"test_{assignment.week}")
        found |= {f"{file.name}::{name}": one for name, one in costs(file, file.with_name(f"probes{part}.py")).items()}
    return found


def summary(week: str, costs: Mapping[str, float]) -> str:
    """Say what a week's checks cost, in one line."""
    under, middle = sum(lines < 15 for lines in costs.values()), statistics.median(costs.values())
    return f"{week}: {len(costs)} checks, {middle:.0f} lines in the middle, {under} under 15"


def main() -> None:
    """Print the costs of a week's checks, the dearest first; without a name, one line for each week."""
    parser = argparse.ArgumentParser("python -m grader.author.lines", description=__doc__.splitlines()[0])
    parser.add_argument("week", nargs="*", help="a week's folder, such as week5; all weeks without it")
    weeks = parser.parse_args().week
    try:
        course = find_course()
        costs_of = {week: of_week(course.assignment(week)) for week in weeks or course.assignments()}
    except GraderError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    for week, found in costs_of.items():
        for name, lines in sorted(found.items(), key=lambda one: -one[1]) if weeks else ():
            print(f"{lines:6.1f}  {name}")
        print(summary(week, found))


if __name__ == "__main__":
    main()
