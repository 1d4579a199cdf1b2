"""Week 5's checks take points for known mistakes, and in no other task: mutants of the reference, graded for real.

A few of them by default; all of them with GRADER_ALL_MUTANTS=1 in the environment, which takes ten minutes or so.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from grader.assignment import Course
from grader.mutants import Mutant, load_mutants, reference_files, tasks_lost
from grader.pool import Failure, Job, Pool
from grader.sandbox import choose

ROOT = Path(__file__).parents[1]
WEEK = "week5"
TASKS = [f"5.{n}" for n in range(1, 13)]

# The mistakes that each task is known to invite, from the course's description of the week.
KNOWN = {
    "5.1": ["conv-true-division", "conv-rounds-up"],
    "5.2": ["pool-stride-1-default"],
    "5.3": ["lenet-only-logits", "lenet-flattens-across-batch", "lenet-mixes-batch", "lenet-detached-hidden"],
    "5.4": ["transforms-augment-test", "transforms-normalise-first"],
    "5.5": ["split-aliased-transform", "split-loses-an-item", "split-seeds-globally", "split-draws-globally"],
    "5.6": ["filter-flipped"],
    "5.7": ["pool-case-sensitive", "pool-no-avg", "pool-wrong-exception", "pool-silent-message"],
    "5.8": ["train-no-zero-grad", "train-zero-grad-last", "train-returns-tensors", "train-logs-without-first",
            "validate-accuracy-over-batches", "validate-gradients-on"],
    "5.9": ["predictions-logits", "predictions-dropout-on"],
    "5.10": ["incorrect-ascending", "incorrect-fails-on-ties", "incorrect-fails-on-n"],
    "5.11": ["plot-filter-returns-axes", "plot-filter-shows", "plot-filter-single", "plot-incorrect-left-over",
             "plot-incorrect-single", "plot-confusion-colour-bar"],
    "5.12": ["lenet-softmax"],
}  # fmt: skip

# One for each kind of check: values, a class's outputs, effects, generators, a whole training run, plots.
SPREAD = ["conv-rounds-up", "lenet-mixes-batch", "transforms-flip", "split-aliased-transform", "filter-flipped",
          "train-no-zero-grad", "incorrect-fails-on-ties", "plot-incorrect-left-over"]  # fmt: skip


@pytest.fixture(scope="module")
def mutants() -> dict[str, Mutant]:
    return {mutant.id: mutant for mutant in load_mutants(ROOT, WEEK)}


def test_there_are_many_and_every_task_has_some(mutants: dict[str, Mutant]) -> None:
    assert len(mutants) >= 25
    assert {task for mutant in mutants.values() for task in mutant.tasks} == set(TASKS)


def test_every_known_mistake_is_among_them(mutants: dict[str, Mutant]) -> None:
    assert list(KNOWN) == TASKS
    assert [i for task, ids in KNOWN.items() for i in ids if i not in mutants or task not in mutants[i].tasks] == []


def test_each_costs_points_in_the_tasks_it_names_and_nowhere_else(mutants: dict[str, Mutant]) -> None:
    whole = os.environ.get("GRADER_ALL_MUTANTS") == "1"
    chosen = list(mutants) if whole else SPREAD
    found = dict(lost_by(mutants[name] for name in chosen))
    assert sorted(found) == sorted(chosen)
    wrong = {name: lost for name, lost in found.items() if not mutants[name].explains(lost)}
    assert wrong == {}, "these mutants, with what they lost, are not as their `tasks` say"


def lost_by(mutants: Iterable[Mutant]) -> Iterator[tuple[str, list[str]]]:
    """Each mutant's id, and the tasks in which it loses points, or what kept it from being graded."""
    reference = reference_files(Course(ROOT).assignment(WEEK))
    jobs = [Job(mutant.id, WEEK, mutant.apply(reference), "", (), seed=0) for mutant in mutants]
    for done in Pool(ROOT, [WEEK], min(2, len(jobs)), choose("auto")).run(jobs):
        if isinstance(done, Failure):
            yield done.job.student, [done.message]
        else:
            yield done.student, [f"{check.id} is broken" for check in done.broken] or sorted(tasks_lost(done))
