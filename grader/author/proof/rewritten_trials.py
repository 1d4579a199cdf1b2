"""Grades rewritten programs: correct ones keep all points, mutants lose theirs; and shrinks what goes wrong."""

from __future__ import annotations

import difflib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grader.author.proof.findings import Finding
from grader.author.proof.mutants import Mutant, reference_files, tasks_lost
from grader.author.proof.rewrites import Steps, asked_names, forms_of, rewritten, shorter
from grader.author.proof.trials import Subject, Trial, variants_of
from grader.course import Assignment
from grader.results import Outcome, Report, task_order

Grade = Callable[[Sequence[Subject]], Sequence[Trial]]
FORM = "form"  # the kind of these subjects
MOST_LINES = 40  # of the difference between the program and its smallest form that is taken amiss


@dataclass(frozen=True)
class Program:
    """A program to rewrite: a correct one, or a mutant, which has to lose points in some tasks."""

    name: str
    files: Mapping[str, bytes]
    mutant: Mutant | None = None

    def rewritten(self, steps: Steps, asked: frozenset[str], place: int) -> Subject:
        return Subject(FORM, f"{self.name} #{place}", rewritten(self.files, steps, asked))

    def trouble(self, trial: Trial) -> str:
        """Say what is wrong with a trial of this program in another form; nothing where all is well."""
        if trial.report is None:
            return trial.failure or "it was not graded"
        return _wronged(self.mutant, trial.report) if self.mutant else _lost(trial.report)


def _lost(report: Report) -> str:
    wrong = (check for check in report.checks if check.outcome is not Outcome.PASSED)
    return "; ".join(f"{check.id} takes {check.max_points}: {check.message.strip()}" for check in wrong)


def _wronged(mutant: Mutant, report: Report) -> str:
    lost = tasks_lost(report)
    kept = sorted(set(mutant.tasks) - lost, key=task_order)
    more = sorted(lost - {*mutant.tasks, *mutant.may_lose}, key=task_order)
    found = [f"it keeps all points of task {task}" for task in kept]
    return "; ".join(found + [f"it loses points of task {task}, too" for task in more])


def programs_of(assignment: Assignment, mutants: Sequence[Mutant], count: int, start: int) -> list[Program]:
    """Return `count` correct programs, the reference and all variants in turn, and as many mutants."""
    reference = reference_files(assignment)
    right = [Program("reference", reference)]
    right += [Program(f"variant {name}", files) for name, files in variants_of(assignment)]
    drawn = random.Random(start).sample(list(mutants), min(count, len(mutants)))  # noqa: S311 - a sample, no secret
    wrong = [Program(f"mutant {mutant.id}", mutant.apply(reference), mutant) for mutant in drawn]
    return [*(right[number % len(right)] for number in range(count)), *wrong]


def drawn_forms(
    assignment: Assignment, mutants: Sequence[Mutant], count: int, start: int
) -> list[tuple[Program, Steps]]:
    """Return `count` correct programs and as many mutants, each with the steps of a form of its own."""
    programs = programs_of(assignment, mutants, count, start)
    return [*zip(programs, forms_of(len(programs), start), strict=True)]


def examine_forms(
    assignment: Assignment, mutants: Sequence[Mutant], count: int, start: int, grade: Grade
) -> list[Finding]:
    """Grade programs in forms that are drawn; one finding for each trouble."""
    asked = asked_names(assignment.skeletons)
    tried = drawn_forms(assignment, mutants, count, start)
    troubles = _troubles(tried, asked, grade)
    return [_finding(*smallest(*tried[place], text, asked, grade), asked) for place, text in troubles.items()]


def _troubles(tried: Sequence[tuple[Program, Steps]], asked: frozenset[str], grade: Grade) -> dict[int, str]:
    """Return what is wrong, by the place of the program."""
    subjects = [program.rewritten(steps, asked, place) for place, (program, steps) in enumerate(tried)]
    by_key = {trial.subject.key: trial for trial in grade(subjects)}
    found = {place: tried[place][0].trouble(by_key[subject.key]) for place, subject in enumerate(subjects)}
    return {place: text for place, text in found.items() if text}


def smallest(
    program: Program, steps: Steps, text: str, asked: frozenset[str], grade: Grade
) -> tuple[Program, Steps, str]:
    """Leave steps out as long as there is trouble without them; return what is left, with its trouble."""
    while steps:
        tried = [(program, fewer) for fewer in shorter(steps)]
        troubles = _troubles(tried, asked, grade)
        if not troubles:
            break
        place, text = next(iter(troubles.items()))
        steps = tried[place][1]
    return program, steps, text


def _finding(program: Program, steps: Steps, text: str, asked: frozenset[str]) -> Finding:
    kind = "form" if program.mutant is None else "mutant's form"
    lines = "\n".join(_difference(program, steps, asked)[:MOST_LINES])
    return Finding(kind, f"{program.name}, {' '.join(map(str, steps)) or 'as it is'}", f"{text}\n{lines}")


def _difference(program: Program, steps: Steps, asked: frozenset[str]) -> list[str]:
    before, after = rewritten(program.files, (), asked), rewritten(program.files, steps, asked)
    return [
        line
        for path in sorted({*before, *after})
        for line in difflib.unified_diff(
            before.get(path, b"").decode().splitlines(),
            after.get(path, b"").decode().splitlines(),
            path,
            path,
            n=1,
            lineterm="",
        )
    ]
