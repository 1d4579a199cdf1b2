"""Each week's reference, skeleton, variants and mutants are graded for real, in one run, and get the right points.

Correct solutions that are written in other ways than the reference keep every point; the checks take points for known
mistakes, and in no other task. By default each week is tried on its reference, its skeleton, one or two variants, and
one program with a mistake for each kind of check; one week also on rewritten programs. With GRADER_ALL=1 in the
environment it is tried on every mutant by itself, each variant with both seeds, and more rewritten programs, for hours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, reduce
from pathlib import Path

import pytest

from grader.author.proof import messages, record, rewritten_trials, trials
from grader.author.proof.mutants import Mutant, load_mutants, reference_files, task_numbers, tasks_lost
from grader.author.proof.rewritten_trials import Form, Program
from grader.author.proof.trials import Subject, Trial
from grader.course import Assignment, Course
from grader.judging.shortcuts import NONE
from grader.results import Outcome, task_order
from grader.sandbox import choose
from tests.support import amount
from tests.support.reports import timeless

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
    "6.14": ["train-no-zero-grad", "evaluate-percent"],
    "6.15": ["time-rounded"],
    "6.16": ["fit-saves-last", "fit-aliased-state"],
    "6.17": ["train-no-step"],
    "7.1": ["block-no-shortcut", "block-relu-before-sum", "block-projects-by-stride", "block-projects-by-channels"],
    "7.2": ["net-stride-everywhere", "net-mixes-batch"],
    "7.3": ["table-recursive", "table-shared-twice"],
    "7.4": ["flops-multiplications", "flops-square"],
    "7.5": ["count-hooks-left", "count-no-eval", "count-each-layer-once"],
    "7.6": ["warmup-from-zero", "cosine-comes-back", "warmup-no-zero"],
    "7.7": ["scheduler-none", "scheduler-one-rate"],
    "7.8": ["smooth-others-alone", "smooth-classes-from-labels"],
    "7.9": ["loss-mean-of-all", "loss-unstable"],
    "7.10": ["mixup-images-alone", "mixup-other-partners", "mixup-in-place"],
    "7.11": ["epoch-no-zero-grad", "epoch-scheduler-first", "epoch-scheduler-once", "epoch-tensors"],
    "7.12": ["cam-zero-is-none", "cam-softmax", "cam-frozen-fails", "cam-zero-divided", "cam-fills-gradients"],
    "7.13": ["plot-channels-first", "plot-colour-bar"],
    "7.14": ["block-no-shortcut"],
}  # fmt: skip

# One for each kind of check: values, a class's outputs, effects, generators, a whole training run, plots. Those of a
# week are in tasks of their own, so that one program has them all, and each is looked for in its tasks.
SPREAD = {
    "week4": ["derivative-keeps-graph", "split-reseeds", "fcnn-hard-coded-784", "fit-nested-losses"],
    "week5": ["conv-rounds-up", "lenet-mixes-batch", "transforms-flip", "split-aliased-transform", "filter-flipped",
          "validate-turns-gradients-on", "incorrect-fails-on-ties", "plot-filter-into-current"],
    "week6": ["folder-leftovers", "norm-torchs", "layer-keeps-graph", "head-appended", "fit-worst",
          "evaluate-ignores-device"],
    "week7": ["block-no-shortcut", "net-ten-classes", "count-train-always", "mixup-other-partners",
          "epoch-scheduler-first"],
}  # fmt: skip


# What can be judged by itself has a check of its own: so little does one mistake cost.
COSTS = {"fcnn-hard-coded-784": 4, "validate-turns-gradients-on": 1, "plot-filter-into-current": 1,
         "evaluate-ignores-device": 1}  # fmt: skip

SEEDS = (0, 1)
# So many correct programs and mutants of each week are rewritten, and in these weeks.
FORMS = int(os.environ.get("GRADER_FORMS", amount.of("1", "10")))
FORMED = amount.of(["week7"], WEEKS)
# The variants that stand for all: those that have least in common with the reference.
VARIANTS = {"week4": ["unusual"], "week5": ["numpy_first", "relative"], "week6": ["terse"], "week7": ["modern"]}
LEAST = {"week4": 4, "week5": 8, "week6": 3, "week7": 4}  # so many variants at least


@pytest.fixture(scope="module", params=WEEKS)
def week(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def assignment(week: str) -> Assignment:
    return Course(ROOT).assignment(week)


@pytest.fixture(scope="module")
def mutants(week: str) -> dict[str, Mutant]:
    return {mutant.id: mutant for mutant in load_mutants(ROOT, week)}


@pytest.fixture(scope="module")
def graded(assignment: Assignment, mutants: dict[str, Mutant]) -> list[Trial]:
    """Grade all that the week is tried on in one run, since judges start slowly and learn as they grade."""
    skeleton = [one for one in trials.subjects_of(assignment, [], SEEDS[:1]) if one.kind == trials.SKELETON]
    tried = enumerate(rewritten(assignment, mutants))
    forms = [program.rewritten(form, assignment, place) for place, (program, form) in tried]
    subjects = [*correct(assignment), *skeleton, *wrong(assignment, mutants), *forms]
    return list(trials.run(ROOT, assignment.week, subjects, choose("auto"), 2))


def rewritten(assignment: Assignment, mutants: dict[str, Mutant]) -> list[tuple[Program, Form]]:
    count = FORMS if assignment.week in FORMED else 0
    return rewritten_trials.drawn_forms(assignment, [*mutants.values()], count, int(assignment.week[-1]))


def correct(assignment: Assignment) -> Iterator[Subject]:
    """Variants and the reference, with one of the seeds in turn or with both."""
    variants = dict(trials.variants_of(assignment))
    chosen = {name: variants[name] for name in chosen_variants(assignment)}
    submissions = {**chosen, "reference": reference_files(assignment)}
    for number, (name, files) in enumerate(submissions.items()):
        for seed in SEEDS if amount.ALL else SEEDS[number % 2 :][:1]:
            yield Subject(trials.VARIANT, name, files, seed)


def wrong(assignment: Assignment, mutants: dict[str, Mutant]) -> Iterator[Subject]:
    """Yield the reference with every mistake by itself, or in a sample with all that are chosen."""
    chosen = chosen_mutants(assignment.week, mutants)
    for names in [[name] for name in chosen] if amount.ALL else [chosen]:
        files = reduce(lambda files, name: mutants[name].apply(files), names, reference_files(assignment))
        yield Subject(trials.MUTANT, "+".join(names), files, SEEDS[0])


def parts(trial: Trial, mutants: dict[str, Mutant]) -> list[Mutant]:
    """Return the mistakes that a program has."""
    return [mutants[name] for name in trial.subject.name.split("+")]


def together(mistakes: list[Mutant]) -> Mutant:
    """Return them as one, for what all of them may cost; they are in tasks of their own."""
    tasks = [task for mutant in mistakes for task in mutant.tasks]
    assert len(tasks) == len(set(tasks)), [mutant.id for mutant in mistakes]
    return replace(mistakes[0], tasks=tuple(tasks), may_lose=tuple(t for mutant in mistakes for t in mutant.may_lose))


def chosen_mutants(week: str, mutants: dict[str, Mutant]) -> list[str]:
    return list(mutants) if amount.ALL else SPREAD[week]


def chosen_variants(assignment: Assignment) -> list[str]:
    return list(dict(trials.variants_of(assignment))) if amount.ALL else VARIANTS[assignment.week]


@cache
def tasks_of(week: str) -> list[str]:
    """Return the tasks of a week in order; to find them takes Python's parser."""
    return sorted(set(task_numbers(Course(ROOT).assignment(week))), key=task_order)


def test_there_are_many_mutants_and_every_task_has_some(week: str, mutants: dict[str, Mutant]) -> None:
    assert len(mutants) >= 25
    assert {task for mutant in mutants.values() for task in mutant.tasks} == set(tasks_of(week))


def test_every_known_mistake_is_among_the_mutants(week: str, mutants: dict[str, Mutant]) -> None:
    known = {task: ids for task, ids in KNOWN.items() if task in tasks_of(week)}
    assert list(known) == tasks_of(week)
    assert [i for task, ids in known.items() for i in ids if i not in mutants or task not in mutants[i].tasks] == []


def test_the_record_names_a_check_that_catches_each_mutant(week: str, mutants: dict[str, Mutant]) -> None:
    caught = record.load(ROOT, week)
    assert set(caught) == set(mutants)
    assert [name for name, checks in caught.items() if not checks] == []


def test_each_mutant_costs_points_in_the_tasks_it_names_and_nowhere_else(
    week: str, mutants: dict[str, Mutant], graded: list[Trial]
) -> None:
    tried = [(parts(trial, mutants), tasks_without_points(trial)) for trial in graded if is_mutant(trial)]
    assert sorted(m.id for mistakes, _ in tried for m in mistakes) == sorted(chosen_mutants(week, mutants))
    wrong = {tuple(m.id for m in mistakes): lost for mistakes, lost in tried if not together(mistakes).explains(lost)}
    assert wrong == {}, "these mutants, with what they lost, are not as their `tasks` say"


def test_programs_in_other_forms_are_worth_what_they_were(
    assignment: Assignment, mutants: dict[str, Mutant], graded: list[Trial]
) -> None:
    forms = [trial for trial in graded if trial.subject.kind == rewritten_trials.FORM]
    by_place = {int(trial.subject.name.rpartition("#")[2]): trial for trial in forms}
    assert len(by_place) == (2 * FORMS if assignment.week in FORMED else 0)
    for place, (program, form) in enumerate(rewritten(assignment, mutants)):
        assert program.trouble(by_place[place]) == "", f"{program.name}: {form}"


def test_a_mistake_costs_what_hangs_on_it_and_no_more(
    week: str, mutants: dict[str, Mutant], graded: list[Trial]
) -> None:
    tried = [(mutant, trial) for trial in graded if is_mutant(trial) for mutant in parts(trial, mutants)]
    found = {mutant.id: points_lost(trial, mutant) for mutant, trial in tried if mutant.id in COSTS}
    assert found == {name: COSTS[name] for name in chosen_mutants(week, mutants) if name in COSTS}


def points_lost(trial: Trial, mutant: Mutant) -> int:
    """Return what the tasks of a mistake have lost; that no other task has lost any is another test."""
    assert trial.report is not None, trial.failure
    return sum(score.max_points - score.points for score in trial.report.tasks() if score.task in mutant.tasks)


def test_each_mutants_message_tells_the_mistake_and_names_the_function(
    assignment: Assignment, mutants: dict[str, Mutant], graded: list[Trial]
) -> None:
    functions = messages.functions_of(assignment)
    faults = [
        f"{mutant.id}: {fault}"
        for trial in graded
        if is_mutant(trial) and trial.report is not None
        for mutant in parts(trial, mutants)
        for fault in messages.faults_of(mutant, trial.report, functions)
    ]
    assert faults == []


def is_mutant(trial: Trial) -> bool:
    return trial.subject.kind == trials.MUTANT


def tasks_without_points(trial: Trial) -> list[str]:
    """The tasks in which it loses points, or what kept it from being graded."""
    if trial.report is None:
        return [trial.failure]
    return [f"{check.id} is broken" for check in trial.report.broken] or sorted(tasks_lost(trial.report))


def test_each_variant_and_the_reference_have_all_points(assignment: Assignment, graded: list[Trial]) -> None:
    right = [trial for trial in graded if trial.subject.kind == trials.VARIANT]
    taken = [f"{trial.subject.key}: {text}" for trial in right for text in lost(trial)]
    assert not taken, "\n".join(taken)
    assert {trial.subject.name for trial in right} == {*chosen_variants(assignment), "reference"}
    assert len(dict(trials.variants_of(assignment))) >= LEAST[assignment.week]
    assert {trial.report.score for trial in right if trial.report} == {100}


def lost(trial: Trial) -> list[str]:
    """The checks that gave no points, with what the student reads."""
    if trial.report is None:
        return [trial.failure]
    checks = [check for check in trial.report.checks if check.points < check.max_points]
    return [f"{check.task} {check.title} [{check.outcome}]: {check.message}" for check in checks]


def test_the_skeleton_has_no_points_and_is_only_to_do(graded: list[Trial]) -> None:
    (skeleton,) = (trial for trial in graded if trial.subject.kind == trials.SKELETON)
    assert skeleton.report is not None, skeleton.failure
    assert skeleton.report.score == 0
    assert {check.outcome for check in skeleton.report.checks} <= {Outcome.TODO, Outcome.SKIPPED}


@amount.in_full("the course of tests/judging/test_outcomes.py stands for the weeks")
def test_judging_without_shortcuts_gives_the_same_reports_field_by_field(week: str, graded: list[Trial]) -> None:
    """Compare the reference and the mutants."""
    compared = [trial for trial in graded if is_mutant(trial) or trial.subject.name == "reference"]
    quick = {trial.subject.key: trial for trial in compared}
    slow = trials.run(ROOT, week, [trial.subject for trial in quick.values()], choose("auto"), 2, NONE)
    for trial in slow:
        other = quick[trial.subject.key].report
        assert trial.report is not None, trial.failure
        assert other is not None
        assert timeless(trial.report) == timeless(other)
