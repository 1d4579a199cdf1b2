"""Every week's own promises: points, coverage of every task, lessons that name each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.author.release.skeleton import stale_skeletons
from grader.checks.task_mark import TaskMark, load_beside
from grader.course import Assignment, Course, is_hidden
from grader.results import task_order

ROOT = Path(__file__).parents[2]
COURSE = Course(ROOT)
WHOLE = {"4.11", "5.12", "6.17"}  # about several tasks together: nothing to write


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
