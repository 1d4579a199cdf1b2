"""A class run draws a seed of its own; work that was graded keeps its seed, and so does an interrupted run."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from grader.batch.run import BatchOptions, grade_class
from grader.course import Course
from grader.reports.progress import Progress
from tests.support.backends import Passing
from tests.support.makers import put

Run = Callable[..., dict[str, int]]


@pytest.fixture
def run(two_weeks_course: Course, tmp_path: Path) -> Run:
    """Grade the class; return the seed of each student who was graded."""

    def grade(most: int | None = None, **options: int | bool) -> dict[str, int]:
        backend = Passing(two_weeks_course, most)
        asked = BatchOptions(tmp_path / "class", tmp_path / "reports", **options)  # type: ignore[arg-type]
        try:
            grade_class(two_weeks_course, asked, backend, Progress(Console(file=io.StringIO())))
        except KeyboardInterrupt:
            assert most is not None
        return {job.student: job.seed for job in backend.jobs}

    return grade


def hand_in(tmp_path: Path, student: str, number: int, module: str = "lenet") -> None:
    put(tmp_path / "class" / student / f"{module}.py", f"class A:\n    n = {number}\n".encode())


@pytest.fixture(autouse=True)
def handed_in(tmp_path: Path) -> None:
    for student in ("ana", "bo", "cy"):
        hand_in(tmp_path, student, 1)


def test_all_who_are_graded_in_a_run_are_asked_alike(run: Run) -> None:
    assert len(set(run().values())) == 1
    assert run() == {}


def test_new_work_is_asked_something_else_and_the_rest_keeps_what_it_has(run: Run, tmp_path: Path) -> None:
    first = run()
    hand_in(tmp_path, "bo", 2)
    hand_in(tmp_path, "dee", 1)
    second = run()
    assert set(second) == {"bo", "dee"}
    assert second["bo"] == second["dee"] != first["bo"]
    hand_in(tmp_path, "bo", 1)  # the first work once more, but as a new attempt
    assert run()["bo"] not in (first["bo"], second["bo"])


def test_the_same_work_graded_again_is_asked_the_same(run: Run, tmp_path: Path) -> None:
    first = run()
    hand_in(tmp_path, "bo", 2)
    second = run()
    assert run(regrade=True) == {**first, **second}


@pytest.mark.parametrize("changed", [False, True])
def test_an_interrupted_run_goes_on_with_its_seed(run: Run, tmp_path: Path, changed: bool) -> None:
    first = run(most=1)
    if changed:
        hand_in(tmp_path, "cy", 2)
    second = run()
    assert len(first) == 1
    assert len(second) == 2
    assert set(first.values()) == set(second.values())
    hand_in(tmp_path, "ana", 3)
    assert set(run().values()).isdisjoint(first.values())


def test_a_seed_that_is_asked_for_is_everybodys(run: Run, tmp_path: Path) -> None:
    assert run(seed=7) == dict.fromkeys(("ana", "bo", "cy"), 7)
    assert run(seed=7) == {}
    assert run() == {}
    assert run(seed=8) == dict.fromkeys(("ana", "bo", "cy"), 8)
    hand_in(tmp_path, "bo", 2)
    assert run(seed=7)["ana"] == 7


def test_each_week_has_its_run(run: Run, tmp_path: Path) -> None:
    """A run over another week neither ends nor goes on with one that was interrupted."""
    first = run(most=1)
    hand_in(tmp_path, "dee", 1, "mlp")
    other = run(weeks=("week4",))
    assert set(other) == {"dee"}
    assert set(other.values()).isdisjoint(first.values())
    assert set(run().values()) == set(first.values())
