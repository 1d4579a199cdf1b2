"""Proves a week's checks: grades the reference, the skeleton, the variants and the mutants, and examines what came out.

`validate` and `mutate` need no console: `watch` gets the trials as they come, and passes them on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

from grader.author.proof import drawing, findings, messages, operators, record, rewritten_trials, survivors, trials
from grader.author.proof.findings import Finding
from grader.author.proof.matrix import Matrix, margins_of, matrix_of
from grader.author.proof.mutants import Mutant, load_mutants, reference_files
from grader.author.proof.operators import GeneratedMutant
from grader.author.proof.repeated import Kept
from grader.author.proof.survivors import Reason
from grader.author.proof.touching import SEED, Sparing
from grader.author.proof.trials import Subject, Trial
from grader.author.release.lessons import stale_notebooks
from grader.author.release.skeleton import stale_skeletons
from grader.course import Course, find_course
from grader.course.toml_file import meant
from grader.errors import UsageError
from grader.results import CheckResult
from grader.sandbox import Sandbox, choose

SEEDS = 20  # by which it is said how far a threshold is from the reference
MANY = 20  # mutants: for fewer the checks that they cannot touch are graded as well
OTHER_SEEDS = range(1, 5)  # for mutants that a check of the record has let pass: they are graded again with these

Watch = Callable[[str, int, Iterator[Trial]], Iterable[Trial]]  # a week, the number of its trials, and the trials


def unwatched(week: str, count: int, running: Iterator[Trial]) -> Iterable[Trial]:
    """Pass the trials on, and print nothing."""
    return running


@dataclass(frozen=True)
class Part:
    """The part of a week that is proved: mutants of one task or of some names. By default all of it."""

    task: str = ""
    mutants: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return not self.task and not self.mutants

    def of(self, mutants: Sequence[Mutant]) -> list[Mutant]:
        """Return the mutants of this part; `UsageError` where a name is not theirs."""
        names, tasks = [one.id for one in mutants], sorted({task for one in mutants for task in one.tasks})
        for name in self.mutants:
            if name not in names:
                raise UsageError(f"--mutant {name}: there is none of that id; {meant(name, names)}")
        if self.task and self.task not in tasks:
            raise UsageError(f"--task {self.task}: no mutant is of that task; {meant(self.task, tasks)}")
        chosen = [one for one in mutants if not self.task or self.task in one.tasks]
        return [one for one in chosen if not self.mutants or one.id in self.mutants]

    def of_record(self, recorded: Mapping[str, list[str]], mutants: Iterable[Mutant]) -> dict[str, list[str]]:
        """Return what is recorded of the mutants of this part. Which are in no list any more, a whole week shows."""
        names = {mutant.id for mutant in mutants}
        return {name: checks for name, checks in recorded.items() if self.is_whole or name in names}

    def tasks(self, mutants: Iterable[Mutant]) -> tuple[str, ...]:
        """Return the tasks whose checks all is tried on; none stands for all."""
        if self.is_whole:
            return ()
        return (self.task,) if self.task else tuple(dict.fromkeys(task for mutant in mutants for task in mutant.tasks))

    def limit(self, subject: Subject, mutants: Mapping[str, Mutant]) -> Subject:
        """Leave a mutant the checks of its own tasks where a task is named, and all where it is itself."""
        tasks = mutants[subject.name].tasks if subject.kind == trials.MUTANT and not self.mutants else ()
        return replace(subject, tasks=tasks) if subject.kind == trials.MUTANT and not self.is_whole else subject

    def judges(self, finding: Finding) -> bool:
        """Tell whether a finding is about this part. A week's points, and that each check is used, only all shows."""
        return self.is_whole or finding.kind not in ("idle", "points")


@dataclass(frozen=True)
class Proving:
    """Holds where and how trials run; `of` finds out what is left out, as the command line does."""

    course: Course
    sandbox: Sandbox
    jobs: int
    watch: Watch
    kept: Kept = field(default_factory=Kept)

    @classmethod
    def of(cls, course: Course | None, sandbox: Sandbox | None, jobs: int | None, watch: Watch) -> Proving:
        cores = jobs or len(os.sched_getaffinity(0))
        return cls(course or find_course(None), sandbox or choose("auto"), cores, watch)

    def grade(self, week: str, subjects: Sequence[Subject]) -> list[Trial]:
        """Grade the subjects, but for what was graded before and could only come out the same."""
        round = self.kept.round(self.course.assignment(week))
        found = {trial.subject.key: trial for trial in round.known(subjects)}
        if left := [subject for subject in subjects if subject.key not in found]:
            with self._sparing(week, left) as sparing:

                def kept(subject: Subject) -> tuple[CheckResult, ...]:
                    known = {check.id: check for check in sparing.checks_of(subject)} if sparing else {}
                    return tuple({**known, **{check.id: check for check in round.checks_of(subject)}}.values())

                running = trials.run(self.course.root, week, left, self.sandbox, self.jobs, None, kept)
                for trial in self.watch(week, len(left), running):
                    round.learn(trial)
                    found[trial.subject.key] = trial
                    if sparing:
                        sparing.learn(trial)
        return [found[subject.key] for subject in subjects if subject.key in found]

    def _sparing(self, week: str, subjects: Sequence[Subject]) -> AbstractContextManager[Sparing | None]:
        """Spare mutants what they cannot touch, where there are so many that it pays to find that out."""
        many = sum(subject.kind == trials.MUTANT and subject.seed == SEED for subject in subjects) >= MANY
        return Sparing(self.course.assignment(week)) if many else nullcontext()


def validate(
    week: str, *, course: Course | None = None, sandbox: Sandbox | None = None, jobs: int | None = None,
    seeds: int = 3, agree: bool = False, watch: Watch = unwatched, part: Part | None = None,
    draws: bool = False, kept: Kept | None = None,
) -> Matrix:  # fmt: skip
    """Grade all that a week's checks are tried on, and return the matrix, which holds the findings.

    The reference and the variants are graded with several seeds. With `agree`, what each check catches now becomes the
    record that later runs are compared with. A `part` of a week takes less time, and says less. With `draws`, hidden
    checks that draw nothing are found as well. What is `kept` from a round before is not graded again where it could
    only come out the same.
    """
    part = part or Part()
    proving = replace(Proving.of(course, sandbox, jobs, watch), kept=kept or Kept())
    course = proving.course
    mutants = part.of(load_mutants(course.root, week))
    tried = trials.subjects_of(course.assignment(week), mutants, range(seeds), part.tasks(mutants))
    subjects = [part.limit(subject, {mutant.id: mutant for mutant in mutants}) for subject in tried]
    done = proving.grade(week, subjects)
    if agree:
        record.save(course.root, week, findings.caught(done, mutants))
    recorded = part.of_record(record.load(course.root, week), mutants)
    missed = findings.missed(done, mutants, recorded)
    mutated = (one for one in subjects if one.kind == trials.MUTANT and one.name in missed)
    again = [replace(one, seed=seed) for one in mutated for seed in OTHER_SEEDS]
    more = proving.grade(week, again) if again else []
    functions = messages.functions_of(course.assignment(week))
    found = findings.examine(done, mutants, recorded, more, functions, (course.settings.public, course.settings.hidden))
    found = [finding for finding in found if part.judges(finding)]
    close = _close_thresholds(proving, week, done) if seeds > 1 and part.is_whole else []
    fixed = _fixed(course, week) if draws and part.is_whole else []
    return matrix_of(week, done, mutants, [*_stale(course, week), *close, *fixed, *found])


def _fixed(course: Course, week: str) -> list[Finding]:
    """Find hidden checks that draw nothing, but for those with a reason; and reasons that are out of date."""
    reasons = survivors.load_fixed(course.root, week)
    found = drawing.fixed_checks(course.assignment(week))
    text = (
        "passes on what the reference answered under another seed, so its answers can be learnt by heart: draw its "
        "inputs from `rng`, or say why not under [[fixed]] in survivors.toml"
    )
    idle = [Finding("fixed", name, "its reason in survivors.toml is out of date", fault=False)
            for name in sorted(set(reasons) - set(found))]  # fmt: skip
    return [*(Finding("fixed", name, text) for name in found if name not in reasons), *idle]


def _close_thresholds(proving: Proving, week: str, done: Sequence[Trial]) -> list[Finding]:
    """Find thresholds that are too near to the reference: with some seed it would fail.

    A few seeds tell a deviation badly, so that where it is doubtful by them, more are graded before it is said.
    """
    references = [trial for trial in done if trial.subject.kind == trials.REFERENCE]
    if findings.close_thresholds(margins_of(references)):
        first = references[0].subject
        more = [replace(first, seed=seed) for seed in range(len(references), SEEDS)]
        references += proving.grade(week, more) if more else []
    return findings.close_thresholds(margins_of(references))


def rewrite(
    week: str, count: int, *, course: Course | None = None, sandbox: Sandbox | None = None, jobs: int | None = None,
    start: int = 0, watch: Watch = unwatched,
) -> list[Finding]:  # fmt: skip
    """Grade `count` correct programs and as many mutants, rewritten; return what the checks took amiss, shrunk.

    `start` decides which programs, and how they are rewritten.
    """
    proving = Proving.of(course, sandbox, jobs, watch)
    mutants = load_mutants(proving.course.root, week)
    assignment = proving.course.assignment(week)
    return rewritten_trials.examine_forms(assignment, mutants, count, start, partial(proving.grade, week))


def _stale(course: Course, week: str) -> Iterator[Finding]:
    made = {"skeleton": stale_skeletons(course.root, week), "lessons": stale_notebooks(course.root, week)}
    for command, paths in made.items():
        for path in paths:
            yield Finding("stale", path.relative_to(course.root).as_posix(), f"run: python -m grader {command}")


@dataclass(frozen=True)
class Survival:
    """The result of a week's generated mutants: how many there are, and which of them keep all points."""

    week: str
    made: int
    alive: tuple[GeneratedMutant, ...]
    unexplained: tuple[GeneratedMutant, ...]
    idle: tuple[Reason, ...]  # reasons for which nothing survives any more
    ungraded: int

    @property
    def faults(self) -> int:
        """The number of mutants that survive without a reason, or could not be graded."""
        return len(self.unexplained) + self.ungraded


def mutate(
    week: str, *, course: Course | None = None, sandbox: Sandbox | None = None, jobs: int | None = None,
    watch: Watch = unwatched,
) -> Survival:  # fmt: skip
    """Apply the general operators to a week's reference, and grade every mutant that they make."""
    proving = Proving.of(course, sandbox, jobs, watch)
    reference = reference_files(proving.course.assignment(week))
    made = {mutant.id: mutant for mutant in operators.mutants_of(reference)}
    subjects = [trials.Subject(trials.MUTANT, name, mutant.apply(reference)) for name, mutant in made.items()]
    first = trials.Subject(trials.REFERENCE, week, reference)  # whose results stand for what a mutant cannot touch
    done = [trial for trial in proving.grade(week, [first, *subjects]) if trial.subject is not first]
    alive = [made[t.subject.name] for t in done if t.report and t.report.score == t.report.max_score]
    alive.sort(key=lambda mutant: (mutant.file, mutant.line, mutant.id))
    reasons = survivors.load_reasons(proving.course.root, week)
    return Survival(
        week,
        len(made),
        tuple(alive),
        tuple(survivors.unexplained(alive, reasons)),
        tuple(survivors.idle_reasons(alive, reasons)),
        sum(trial.report is None for trial in done),
    )
