"""Every week's own promises: points, coverage of every task, lessons that name each of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.author.release.skeleton import stale_skeletons
from grader.checks.task_mark import TaskMark, load_beside
from grader.course import Assignment, Course, is_hidden
from grader.results import task_order

ROOT = Path(__file__).parents[2]
COURSE = Course(ROOT)
WHOLE = {"4.11", "5.12", "6.17", "7.14"}  # about several tasks together: nothing to write


@pytest.fixture(params=COURSE.assignments())
def each_assignment(request: pytest.FixtureRequest) -> Assignment:
    return COURSE.assignment(request.param)


def marks(assignment: Assignment, hidden: bool) -> list[TaskMark]:
    found = []
    for path in (path for path in assignment.check_files if is_hidden(path) is hidden):
        module = load_beside(str(path), path.stem)
        checks = [value for name, value in vars(module).items() if name.startswith("test_")]
        found += [mark.kwargs["mark"] for check in checks for mark in check.pytestmark if mark.name == "task"]
    return found


def test_points_add_up_and_every_task_has_both_kinds(each_assignment: Assignment) -> None:
    public, hidden = marks(each_assignment, False), marks(each_assignment, True)
    assert (sum(mark.points for mark in public), sum(mark.points for mark in hidden)) == (60, 40)
    assert {mark.task for mark in public} == {mark.task for mark in hidden}
    assert all(mark.points > 0 and mark.title and mark.hint for mark in (*public, *hidden))
    numbers = sorted({mark.task for mark in public}, key=task_order)
    first = numbers[0].split(".")[0]
    assert numbers == [f"{first}.{n}" for n in range(1, len(numbers) + 1)]


def test_every_task_has_a_todo_and_a_place_in_the_lesson_with_its_points(each_assignment: Assignment) -> None:
    points: dict[str, int] = {}
    for mark in marks(each_assignment, False):
        points[mark.task] = points.get(mark.task, 0) + mark.points
    sources = [source.decode() for source in each_assignment.skeletons.values()]
    todos = {task for source in sources for task in re.findall(r'"TODO (\d+\.\d+):', source)}
    assert todos == set(points) - WHOLE
    lesson = (each_assignment.folder / "README.md").read_text(encoding="utf-8")
    told = {
        task: int(number) for task, number in re.findall(r"^### (\d+\.\d+) .* · (\d+) points?$", lesson, re.MULTILINE)
    }
    assert told == points


def test_no_skeleton_is_stale() -> None:
    assert stale_skeletons(ROOT) == []


def test_thresholds_are_explained_beside_the_reference(each_assignment: Assignment) -> None:
    assert each_assignment.hidden_folder is not None
    table = (each_assignment.hidden_folder / "calibration.md").read_text(encoding="utf-8")
    assert (each_assignment.hidden_folder / "calibrate.py").is_file()
    assert "| reference |" in table and "no zero_grad" in table and "shuffled labels" in table


EVIDENCE = {"expect.field", "student.run", "student.run_fresh"}


def is_evidence(node: ast.AST, names: set[str]) -> bool:
    """Tell whether this is a part of an answer that nothing has looked at."""
    if isinstance(node, ast.Name):
        return node.id in names
    return isinstance(node, ast.Call) and ast.unparse(node.func) in EVIDENCE


def asked_for_truth(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, (ast.If, ast.IfExp, ast.While, ast.Assert)):
        return [node.test]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [node.operand]
    if isinstance(node, ast.comprehension):
        return node.ifs
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("bool", "any", "all"):
        return node.args
    return []


def truths_of_evidence(source: str) -> Iterator[int]:
    """Yield each line that asks evidence for its truth before an `expect` has seen its type: an array has none."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        bound = [node for node in ast.walk(function) if isinstance(node, ast.Assign) and is_evidence(node.value, set())]
        names = {target.id for node in bound for target in node.targets if isinstance(target, ast.Name)}
        for node in ast.walk(function):
            yield from (part.lineno for part in asked_for_truth(node) if is_evidence(part, names))


def test_no_check_asks_evidence_for_its_truth(each_assignment: Assignment) -> None:
    files = [path for path in each_assignment.check_files if path.suffix == ".py"]
    found = [f"{path.name}:{line}" for path in files for line in truths_of_evidence(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'x = bool(expect.field(got, "a")) or 3',
        'x = 3 if expect.field(got, "a") else 4',
        "got = student.run(probes.f)\n    if not got: pass",
        "got = student.run(probes.f)\n    x = [1 for i in range(3) if got]",
        'got = expect.field(x, "a")\n    assert got',
    ],
)
def test_truth_that_is_asked_of_evidence_is_found(line: str) -> None:
    assert list(truths_of_evidence(f"def test_x(student):\n    {line}\n"))
