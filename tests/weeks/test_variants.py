"""Correct solutions that are written in other ways than the reference keep every point.

Each is graded with one of two seeds, or with GRADER_ALL_VARIANTS=1 in the environment with both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.author.proof import trials
from grader.author.proof.mutants import reference_files
from grader.course import Assignment, Course
from grader.results import Outcome, Report
from grader.sandbox import choose

ROOT = Path(__file__).parents[2]
COURSE = Course(ROOT)
SEEDS = (0, 1)
LEAST = {"week4": 2, "week5": 7, "week6": 2}  # so many variants at least


@pytest.fixture(scope="module", params=COURSE.assignments())
def assignment(request: pytest.FixtureRequest) -> Assignment:
    return COURSE.assignment(request.param)


@pytest.fixture(scope="module")
def reports(assignment: Assignment) -> dict[tuple[str, int], Report | str]:
    """The report of each submission and seed, or why there is none."""
    return dict(graded(assignment))


def graded(assignment: Assignment) -> Iterator[tuple[tuple[str, int], Report | str]]:
    submissions = {**dict(trials.variants_of(assignment)), "reference": reference_files(assignment)}
    everything = os.environ.get("GRADER_ALL_VARIANTS") == "1"
    subjects = [
        trials.Subject(trials.VARIANT, name, files, seed)
        for number, (name, files) in enumerate(submissions.items())
        for seed in (SEEDS if everything else SEEDS[number % 2 :][:1])
    ]
    skeleton = {f"{module}.py": source for module, source in assignment.skeletons.items()}
    subjects.append(trials.Subject(trials.SKELETON, "skeleton", skeleton, SEEDS[0]))
    for trial in trials.run(ROOT, assignment.week, subjects, choose("auto"), 2):
        yield (trial.subject.name, trial.subject.seed), trial.report or trial.failure


def lost(report: Report | str) -> list[str]:
    """The checks that gave no points, with what the student reads."""
    if isinstance(report, str):
        return [report]
    return [f"{c.task} {c.title} [{c.outcome}]: {c.message}" for c in report.checks if c.points < c.max_points]


def test_each_variant_and_the_reference_have_all_points(
    assignment: Assignment, reports: dict[tuple[str, int], Report | str]
) -> None:
    taken = [f"{name}, seed {seed}: {text}" for (name, seed), report in reports.items()
             for text in lost(report) if name != "skeleton"]  # fmt: skip
    assert not taken, "\n".join(taken)
    assert len(dict(trials.variants_of(assignment))) >= LEAST[assignment.week]
    assert {r.score for key, r in reports.items() if key[0] != "skeleton" and isinstance(r, Report)} == {100}


def test_the_skeleton_has_none_and_is_only_to_do(reports: dict[tuple[str, int], Report | str]) -> None:
    report = reports["skeleton", SEEDS[0]]
    assert isinstance(report, Report), report
    assert report.score == 0
    assert {check.outcome for check in report.checks} <= {Outcome.TODO, Outcome.SKIPPED}
