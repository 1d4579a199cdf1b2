"""Reads a week's known mistakes, each a small change of the reference that its checks have to catch.

[[mutant]]
id = "conv-rounds-up"
file = "lenet.py"
find = "// stride + 1"           # must stand exactly once in the reference's file
replace = "// stride + 2"
tasks = ["5.1"]                  # tasks that lose points; every other task keeps all of its points
why = "Rounds up where the stride does not fit evenly."
says = "rounded up"              # optional: what the first line of the message has to say
may_lose = ["5.12"]              # optional: tasks that lose points with some seeds only, depending on training
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from grader.course import Assignment, Course
from grader.course.toml_file import TomlFile, meant
from grader.errors import CourseError
from grader.results import Report

_TASK_LISTS = ("tasks", "may_lose")
_HEADER = re.compile(r"\s*\[\[\s*mutant\s*\]\]")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Mutant:
    """One mistake: in `file`, `find` becomes `replace`, and `tasks` lose points, as `why` explains.

    `may_lose` names tasks that lose points with some seeds only; every other task keeps all of its points. `says` is
    what the first line of the message that its author reads has to say.
    """

    id: str
    file: str
    find: str
    replace: str
    tasks: tuple[str, ...]
    why: str
    says: str = ""
    may_lose: tuple[str, ...] = ()

    def explains(self, lost: Collection[str]) -> bool:
        """Tell whether a graded mutant has lost points in just the tasks that it should."""
        return set(self.tasks) <= set(lost) <= {*self.tasks, *self.may_lose}

    def apply(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return a copy of `files` with the mistake in it. `CourseError` unless `find` stands just once in `file`."""
        if self.file not in files:
            raise CourseError(f"mutant {self.id!r}: there is no {self.file!r}; there are: {', '.join(files)}")
        source = files[self.file].decode("utf-8")
        count = source.count(self.find)
        if count != 1:
            raise CourseError(f"mutant {self.id!r}: `find` must stand once in {self.file}, not {count} times")
        return {**files, self.file: source.replace(self.find, self.replace).encode("utf-8")}


def reference_files(assignment: Assignment) -> dict[str, bytes]:
    """Return the reference's modules as a student would hand them in. `CourseError` where one cannot be read."""
    if assignment.hidden_folder is None:
        raise CourseError(f"{assignment.week}: there are no hidden checks, and so no reference in solutions/")
    paths = [assignment.hidden_folder / f"{module}.py" for module in assignment.modules]
    try:
        return {path.name: path.read_bytes() for path in paths}
    except OSError as error:
        raise CourseError(f"{error.filename}: the reference cannot be read ({error.strerror})") from None


def load_mutants(root: Path, week: str) -> list[Mutant]:
    """Load the mutants of `solutions/WEEK/mutants.toml`, or of its parts `mutants_*.toml`; each applies and compiles.

    `CourseError` names the file, the mutant and what is wrong with it.
    """
    assignment = Course(root).assignment(week)
    reference, tasks = reference_files(assignment), frozenset(task_numbers(assignment))
    folder = root / "solutions" / week
    found: dict[str, Mutant] = {}
    for file in sorted(folder.glob("mutants_*.toml")) or [folder / "mutants.toml"]:
        for number, (line, table) in enumerate(_tables(file), start=1):
            try:
                mutant = _mutant(table, number)
                if mutant.id in found:
                    raise CourseError(f"mutant {mutant.id!r}: another mutant has this id")
                _check(mutant, reference, tasks)
            except CourseError as error:
                raise CourseError(f"{file}:{line}: {error}") from None
            found[mutant.id] = mutant
    return list(found.values())


def tasks_lost(report: Report) -> frozenset[str]:
    """Return the tasks in which a graded mutant has lost points, to compare with those that the mutant names."""
    return frozenset(score.task for score in report.tasks() if score.points < score.max_points)


def task_numbers(assignment: Assignment) -> Iterator[str]:
    """Yield the task of each check from its `@task("5.1", …)`, without importing the checks."""
    for file in assignment.check_files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "task" and node.args:
                yield ast.literal_eval(node.args[0])


def _tables(file: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return the tables of a file, each with the line that it begins in."""
    data = TomlFile(file).data
    tables = data.get("mutant")
    if set(data) != {"mutant"} or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise CourseError(f"{file}: it must hold [[mutant]] tables and nothing else")
    lines = file.read_text(encoding="utf-8").splitlines()
    begun = [number for number, line in enumerate(lines, 1) if _HEADER.match(line)]
    begun += [1] * (len(tables) - len(begun))  # of tables that are written in another way
    return list(zip(begun, tables, strict=False))


def _mutant(table: dict[str, Any], number: int) -> Mutant:
    known = [field.name for field in fields(Mutant)]
    name = f"mutant {table.get('id', f'number {number}')!r}"
    whole = {"may_lose": [], "says": "", **table}
    if unknown := sorted(set(whole) - set(known)):
        raise CourseError(f"{name}: there is no `{unknown[0]}`; {meant(unknown[0], known)}")
    if wrong := sorted(set(whole) ^ set(known)):
        raise CourseError(f"{name}: missing or unknown: {', '.join(wrong)}; a mutant has {', '.join(known)}")
    for key, value in whole.items():
        if key not in _TASK_LISTS and not isinstance(value, str):
            raise CourseError(f"{name}: `{key}` must be a string")
        if key in _TASK_LISTS and not (isinstance(value, list) and all(isinstance(task, str) for task in value)):
            raise CourseError(f'{name}: `{key}` must list tasks, as in ["5.1"]')
    return Mutant(**{**whole, **{key: tuple(whole[key]) for key in _TASK_LISTS}})


def _check(mutant: Mutant, reference: Mapping[str, bytes], tasks: frozenset[str]) -> None:
    """Raise `CourseError` where a mutant is not well named, or is no change that compiles."""
    named = [*mutant.tasks, *mutant.may_lose]
    if not _ID.fullmatch(mutant.id) or not mutant.why.strip():
        raise CourseError(f"mutant {mutant.id!r}: it needs an id like 'conv-rounds-up', and a `why`")
    if unknown := sorted(set(named) - tasks):
        raise CourseError(f"mutant {mutant.id!r}: no check is of task {', '.join(unknown)}")
    if not mutant.tasks or len(set(named)) < len(named):
        raise CourseError(f"mutant {mutant.id!r}: it must name a task that loses points, and each task once")
    changed = mutant.apply(reference)
    if changed == reference:
        raise CourseError(f"mutant {mutant.id!r}: `replace` is the same as `find`")
    try:
        compile(changed[mutant.file], mutant.file, "exec")
    except (SyntaxError, ValueError) as error:
        raise CourseError(f"mutant {mutant.id!r}: with it, {mutant.file} does not compile: {error}") from None
