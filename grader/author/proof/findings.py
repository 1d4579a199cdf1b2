"""Finds in a week's trials what its author has to mend or know: one `Finding` for each thing."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from grader.author.proof import messages, record
from grader.author.proof.mutants import Mutant, tasks_lost
from grader.author.proof.trials import MUTANT, REFERENCE, SKELETON, VARIANT, Trial
from grader.results import CheckResult, Outcome, Report, task_order

MESSAGE_LINES = 12  # of a message, where a finding quotes it
MOST_SEEDS = 10  # that a finding lists
DEVIATIONS = 4.0  # least distance of a threshold from the reference's mean
PUBLIC, HIDDEN = 60, 40  # by default: `course.toml` says otherwise
Graded = tuple[Trial, Report]


@dataclass(frozen=True)
class Finding:
    """One line about a week's checks. `fault` is False for what an author should know, but need not mend."""

    kind: str
    subject: str
    text: str
    fault: bool = True

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}: {self.text}"


@dataclass(frozen=True)
class Margin:
    """A threshold and the reference's values over the seeds; `deviations` is None for one seed."""

    check: str
    what: str
    bound: float
    worst: float
    mean: float
    deviations: float | None


def close_thresholds(margins: Iterable[Margin]) -> list[Finding]:
    """Find thresholds that are less than `DEVIATIONS` from what the reference reaches."""
    return [
        Finding(
            "threshold",
            margin.check,
            f"{margin.what}: {margin.bound:g} is {margin.deviations:.1f} deviations from the reference's "
            f"{margin.mean:.3g}, and has to be at least {DEVIATIONS:g}: with some seeds right work would fail",
        )
        for margin in margins
        if margin.deviations is not None and margin.deviations < DEVIATIONS
    ]


def caught(trials: Iterable[Trial], mutants: Iterable[Mutant]) -> dict[str, set[str]]:
    """Return, by mutant, the checks that took points from it in any trial."""
    tasks = {mutant.id: mutant.tasks for mutant in mutants}
    found: dict[str, set[str]] = {}
    for trial in trials:
        name = trial.subject.name
        if trial.subject.kind == MUTANT and trial.report is not None:
            found.setdefault(name, set()).update(record.catching(trial.report, tasks[name]))
    return found


def missed(trials: Iterable[Trial], mutants: Iterable[Mutant], recorded: record.Caught) -> set[str]:
    """Return the mutants that a check of the record let pass: by chance, or because it has become weaker."""
    return {name for name, checks in caught(trials, mutants).items() if set(recorded.get(name, ())) - checks}


def examine(
    trials: Sequence[Trial],
    mutants: Iterable[Mutant],
    recorded: record.Caught,
    again: Sequence[Trial] = (),
    functions: messages.Functions = MappingProxyType({}),
    worth: tuple[int, int] = (PUBLIC, HIDDEN),
) -> list[Finding]:
    """Return all findings, the gravest first; `again` are mutants graded with other seeds, to compare with the record.

    A check may catch a mistake with only some draws. It is weaker if it catches the mistake with none.
    """
    listed = {mutant.id: mutant for mutant in mutants}
    reports = [(trial, trial.report) for trial in trials if trial.report is not None]
    kinds = {kind: [(t, r) for t, r in reports if t.subject.kind == kind] for kind in _JUDGED}
    found = [*_ungraded(trials), *_points((report for _, report in kinds[REFERENCE][:1]), worth)]
    for graded_alike in _by_program([*kinds[REFERENCE], *kinds[VARIANT]]):
        found += [*_losses(graded_alike), *_flaky(graded_alike)]
    found += [finding for trial, report in kinds[SKELETON] for finding in _gains(report)]
    graded = {trial.subject.name: report for trial, report in kinds[MUTANT]}
    strict = {finding.subject for finding in found if finding.kind == "too strict"}
    for name, report in graded.items():
        found += _mutant(listed[name], report, strict)
        found += [Finding("message", name, text) for text in messages.faults_of(listed[name], report, functions)]
    found += _weaker(listed, caught([*trials, *again], listed.values()), recorded)
    reference = next((report for _, report in kinds[REFERENCE]), None)
    return [*found, *(_idle(reference, listed, graded) if reference and graded else [])]


_JUDGED = (REFERENCE, SKELETON, VARIANT, MUTANT)


def _ungraded(trials: Sequence[Trial]) -> Iterator[Finding]:
    for trial in trials:
        name = f"{trial.subject.kind} {trial.subject.name}"
        if trial.report is None:
            yield Finding("not graded", name, trial.failure)
        else:
            for check in trial.report.broken:
                yield Finding("broken check", check.id, f"crashed on {name}: {check.message}")


def _points(reports: Iterable[Report], worth: tuple[int, int]) -> Iterator[Finding]:
    for report in reports:
        for hidden, total, what in ((False, worth[0], "public"), (True, worth[1], "hidden")):
            checks = [check for check in report.checks if check.hidden is hidden]
            points = sum(check.max_points for check in checks)
            if points != total:
                yield Finding("points", report.week, f"the {what} checks are worth {points} points, not {total}")
            missing = {check.task for check in report.checks} - {c.task for c in checks if c.max_points}
            for task in sorted(missing, key=task_order):
                yield Finding("points", f"task {task}", f"it has no points on {what} checks")


def _by_program(graded: Iterable[Graded]) -> list[list[Graded]]:
    """Put together what was graded with several seeds."""
    found: dict[tuple[str, str], list[Graded]] = {}
    for trial, report in graded:
        found.setdefault((trial.subject.kind, trial.subject.name), []).append((trial, report))
    return list(found.values())


def _name(trial: Trial) -> str:
    return "the reference" if trial.subject.kind == REFERENCE else f"variant {trial.subject.name}"


def _losses(program: Sequence[Graded]) -> Iterator[Finding]:
    """Find what a correct program loses: each check once, with the first seed that shows it."""
    told: set[str] = set()
    for trial, report in program:
        for check in report.checks:
            if check.outcome is not Outcome.PASSED and not check.is_broken and check.id not in told:
                told.add(check.id)
                text = f"{_name(trial)} loses {check.max_points} (seed {report.seed}): {_message(check)}"
                yield Finding("too strict", check.id, f"{text}\n  again: {_again(trial, report)}")


def _again(trial: Trial, report: Report) -> str:
    """Return the command that shows the same report."""
    folder = f"solutions/{report.week}" + (f"/variants/{trial.subject.name}" if trial.subject.kind == VARIANT else "")
    return f"python -m grader run {report.week} --submission {shlex.quote(folder)} --seed {report.seed}"


def _flaky(program: Sequence[Graded]) -> Iterator[Finding]:
    """Find checks that a correct program passes with some seeds and not with others."""
    lost: dict[str, list[int]] = {}
    for _, report in program:
        for check in report.checks:
            lost.setdefault(check.id, []).extend([report.seed] * (check.outcome is not Outcome.PASSED))
    for name, seeds in lost.items():
        if 0 < len(seeds) < len(program):
            some = ", ".join(map(str, seeds[:MOST_SEEDS])) + ", …" * (len(seeds) > MOST_SEEDS)
            what = f"{_name(program[0][0])} fails with {len(seeds)} of {len(program)} seeds ({some})"
            yield Finding("flaky", name, what)


def _gains(report: Report) -> Iterator[Finding]:
    for check in report.checks:
        if check.points:
            yield Finding("for nothing", check.id, f"the skeleton gets {check.points} of its points")


def _mutant(mutant: Mutant, report: Report, strict: Collection[str]) -> Iterator[Finding]:
    """Find what a mutant should have lost, and what it should not: what correct solutions lose as well is no news."""
    lost = tasks_lost(report)
    for task in sorted(set(mutant.tasks) - lost, key=task_order):
        yield Finding("survivor", mutant.id, f"keeps all points of task {task}: {mutant.why}")
    for task in sorted(lost - {*mutant.tasks, *mutant.may_lose}, key=task_order):
        checks = [c for c in report.checks if c.task == task and c.outcome is not Outcome.PASSED and c.id not in strict]
        if not checks:
            continue
        yield Finding("collateral", mutant.id, f"loses points of task {task}, too ({checks[0].id}): {mutant.why}")


def _weaker(
    mutants: Mapping[str, Mutant], catching: Mapping[str, set[str]], recorded: record.Caught
) -> Iterator[Finding]:
    for name, now in catching.items():
        for check in sorted(set(recorded.get(name, ())) - now):
            text = f"no longer catches mutant {name}, as it did when the record was written: {mutants[name].why}"
            yield Finding("weaker", check, text)
    for name in sorted(set(recorded) - set(mutants)):
        yield Finding("weaker", name, "a mutant of the record is not in the list any more", fault=False)
    for name in sorted(set(mutants) - set(recorded)) if recorded else []:
        yield Finding("unrecorded", name, "this mutant is new; agree to it with --record", fault=False)


def _idle(reference: Report, mutants: Mapping[str, Mutant], graded: Mapping[str, Report]) -> Iterator[Finding]:
    """Find checks that take points from no mutant: nothing shows that they can fail."""
    active = {check for name, report in graded.items() for check in record.catching(report, mutants[name].tasks)}
    for hidden, what in ((False, "public"), (True, "hidden")):
        checks = [check for check in reference.checks if check.hidden is hidden]
        busy = {check.task for check in checks if check.id in active}
        for task in sorted({check.task for check in checks} - busy, key=task_order):
            yield Finding("idle", f"task {task}", f"no mutant fails any of its {what} checks")
        for check in checks:
            if check.id not in active and check.task in busy:
                yield Finding("idle", check.id, f"fails for no mutant (task {check.task})", fault=False)


def _message(check: CheckResult) -> str:
    """Return the whole message, with what was expected and what came, as lines under the first."""
    lines = [line for line in check.message.splitlines() if line.strip()]
    return "\n  ".join([line.rstrip() for line in lines[:MESSAGE_LINES]]) or str(check.outcome)
