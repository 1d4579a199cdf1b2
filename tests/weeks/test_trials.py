"""The checks take points for known mistakes, and in no other task: mutants of the references, graded for real.

A few of them by default; all of them with GRADER_ALL_MUTANTS=1 in the environment, which takes half an hour or so, or
with `python -m grader validate`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from grader.author.proof import record, trials
from grader.author.proof.mutants import Mutant, load_mutants, reference_files, task_numbers, tasks_lost
from grader.course import Course
from grader.results import task_order
from grader.sandbox import choose

ROOT = Path(__file__).parents[2]
WEEKS = list(Course(ROOT).assignments())

# The mistakes that each task is known to invite, from the course's description of the weeks.
KNOWN = {
    "4.1": ["seed-forgets-random", "seed-forgets-numpy", "seed-forgets-torch"],
    "4.2": ["derivative-finite-difference", "derivative-keeps-graph", "derivative-fails-on-constant"],
    "4.3": ["stats-overflow", "stats-per-image", "stats-not-scaled", "stats-scaled-by-maximum"],
    "4.4": ["split-loses-an-item", "split-reseeds", "split-draws-globally", "split-seeds-random"],
    "4.5": ["loaders-shuffle-valid", "loaders-drop-last"],
    "4.6": ["fcnn-hard-coded-784", "fcnn-softmax", "fcnn-mixes-batch"],
    "4.7": ["train-no-zero-grad", "train-returns-tensors", "train-logs-without-first", "train-logs-late"],
    "4.8": ["validate-accuracy-over-batches", "validate-gradients-on"],
    "4.9": ["fit-validates-on-training"],
    "4.10": ["predict-no-batch"],
    "4.11": ["fcnn-softmax"],
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
    "6.1": ["folder-unsorted", "folder-leftovers", "folder-moves"],
    "6.2": ["stats-pooled", "stats-pooled-deviation"],
    "6.3": ["label-keeps-number"],
    "6.4": ["image-in-place"],
    "6.5": ["pool-floor"],
    "6.6": ["norm-over-batch", "norm-over-channels", "norm-unbiased", "norm-epsilon-outside"],
    "6.7": ["layer-updates-in-evaluation", "layer-parameters-for-buffers"],
    "6.8": ["vgg-no-relu"],
    "6.9": ["count-all", "count-shared-twice"],
    "6.10": ["freeze-no-grad-around-nothing", "freeze-eval-only"],
    "6.11": ["head-rebuilds-classifier", "head-hard-coded-4096"],
    "6.12": ["groups-generator-twice", "groups-missing", "groups-swapped"],
    "6.13": ["accuracy-count"],
    "6.14": ["train-no-zero-grad", "evaluate-over-examples"],
    "6.15": ["time-rounded"],
    "6.16": ["fit-saves-last", "fit-aliased-state"],
    "6.17": ["train-no-step"],
}  # fmt: skip

# One for each kind of check: values, a class's outputs, effects, generators, a whole training run, plots.
SPREAD = {
    "week4": ["derivative-keeps-graph", "split-reseeds", "fcnn-mixes-batch", "fit-nested-losses"],
    "week5": ["conv-rounds-up", "lenet-mixes-batch", "transforms-flip", "split-aliased-transform", "filter-flipped",
          "train-no-zero-grad", "incorrect-fails-on-ties", "plot-incorrect-left-over"],
    "week6": ["folder-leftovers", "norm-torchs", "layer-keeps-graph", "head-appended", "fit-or-equal", "fit-worst"],
}  # fmt: skip


@pytest.fixture(scope="module", params=WEEKS)
def week(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def mutants(week: str) -> dict[str, Mutant]:
    return {mutant.id: mutant for mutant in load_mutants(ROOT, week)}


def tasks_of(week: str) -> list[str]:
    return sorted(set(task_numbers(Course(ROOT).assignment(week))), key=task_order)


def test_there_are_many_and_every_task_has_some(week: str, mutants: dict[str, Mutant]) -> None:
    assert len(mutants) >= 25
    assert {task for mutant in mutants.values() for task in mutant.tasks} == set(tasks_of(week))


def test_every_known_mistake_is_among_them(week: str, mutants: dict[str, Mutant]) -> None:
    known = {task: ids for task, ids in KNOWN.items() if task in tasks_of(week)}
    assert list(known) == tasks_of(week)
    assert [i for task, ids in known.items() for i in ids if i not in mutants or task not in mutants[i].tasks] == []


def test_the_record_of_what_catches_them_is_complete(week: str, mutants: dict[str, Mutant]) -> None:
    caught = record.load(ROOT, week)
    assert set(caught) == set(mutants)
    assert [name for name, checks in caught.items() if not checks] == []


def test_each_costs_points_in_the_tasks_it_names_and_nowhere_else(week: str, mutants: dict[str, Mutant]) -> None:
    whole = os.environ.get("GRADER_ALL_MUTANTS") == "1"
    chosen = list(mutants) if whole else SPREAD[week]
    found = dict(lost_by(week, (mutants[name] for name in chosen)))
    assert sorted(found) == sorted(chosen)
    wrong = {name: lost for name, lost in found.items() if not mutants[name].explains(lost)}
    assert wrong == {}, "these mutants, with what they lost, are not as their `tasks` say"


def lost_by(week: str, mutants: Iterable[Mutant]) -> Iterator[tuple[str, list[str]]]:
    """Each mutant's id, and the tasks in which it loses points, or what kept it from being graded."""
    reference = reference_files(Course(ROOT).assignment(week))
    subjects = [trials.Subject(trials.MUTANT, mutant.id, mutant.apply(reference)) for mutant in mutants]
    for trial in trials.run(ROOT, week, subjects, choose("auto"), 2):
        if trial.report is None:
            yield trial.subject.name, [trial.failure]
        else:
            broken = [f"{check.id} is broken" for check in trial.report.broken]
            yield trial.subject.name, broken or sorted(tasks_lost(trial.report))
