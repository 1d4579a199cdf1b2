"""Grades rewritten programs: correct ones keep all points, mutants lose theirs; and shrinks what goes wrong.

A program may be handed in in another way, too: as a notebook, one file, under other names, with what students' files
have around their code. Then it is taken in as a student's is.
"""

from __future__ import annotations

import difflib
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.author.proof import forms
from grader.author.proof.findings import Finding
from grader.author.proof.mutants import Mutant, reference_files, tasks_lost
from grader.author.proof.rewrites import Steps, asked_names, forms_of, rewritten, shorter
from grader.author.proof.trials import Subject, Trial, variants_of
from grader.course import Assignment
from grader.errors import SubmissionError
from grader.files import lay_out
from grader.intake import load_folder
from grader.results import Outcome, Report, task_order
from grader.scratch import held

Grade = Callable[[Sequence[Subject]], Sequence[Trial]]
FORM = "form"  # the kind of these subjects
MOST_LINES = 40  # of the difference between the program and its smallest form that is taken amiss
MOST_TOUCHES = 3


@dataclass(frozen=True)
class Form:
    """A way of writing a program, and of handing it in: one of `forms.FORMS`, or the plain modules."""

    steps: Steps = ()
    hand_in: str = ""
    touches: tuple[str, ...] = ()

    def __str__(self) -> str:
        handed = [f"handed in as {self.hand_in!r}"] if self.hand_in else []
        return " ".join([*map(str, self.steps), *handed, *map(repr, self.touches)]) or "as it is"

    def simpler(self) -> list[Form]:
        """Return the forms with one thing less."""
        plain = [Form(self.steps)] if self.hand_in else []
        bare = [replace(self, touches=left) for left in shorter(self.touches)]
        return [*plain, *bare, *(replace(self, steps=left) for left in shorter(self.steps))]

    def of(self, files: Mapping[str, bytes], assignment: Assignment) -> dict[str, bytes]:
        """Return the program in this form, as the grader takes it in; one with files of its own stays plain modules."""
        files = rewritten(files, self.steps, asked_names(assignment.skeletons))
        if not self.hand_in or set(files) != {f"{module}.py" for module in assignment.modules}:
            return files
        modules = {module: files[f"{module}.py"].decode() for module in assignment.modules}
        return _taken_in(forms.deliver(modules, assignment.week, self.hand_in, self.touches), assignment)


def _taken_in(delivery: forms.Delivery, assignment: Assignment) -> dict[str, bytes]:
    """Return the files that intake makes of a delivery; none where it refuses it."""
    with held(), tempfile.TemporaryDirectory() as folder:
        entry = Path(folder, "submission")
        lay_out(delivery.files, entry)
        try:
            return dict(load_folder(entry, assignment).files)
        except SubmissionError:
            return {}


@dataclass(frozen=True)
class Program:
    """A program to rewrite: a correct one, or a mutant, which has to lose points in some tasks."""

    name: str
    files: Mapping[str, bytes]
    mutant: Mutant | None = None

    def rewritten(self, form: Form, assignment: Assignment, place: int) -> Subject:
        return Subject(FORM, f"{self.name} #{place}", form.of(self.files, assignment))

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
) -> list[tuple[Program, Form]]:
    """Return `count` correct programs and as many mutants, each with a form of its own."""
    programs = programs_of(assignment, mutants, count, start)
    rng = random.Random(start)  # noqa: S311 - nothing secret is drawn
    return [
        (program, _drawn(steps, rng)) for program, steps in zip(programs, forms_of(len(programs), start), strict=True)
    ]


def _drawn(steps: Steps, rng: random.Random) -> Form:
    """Draw how a program is handed in; half of them as plain modules."""
    if rng.random() < 1 / 2:
        return Form(steps)
    touches = rng.sample(list(forms.TOUCHES), rng.randint(0, MOST_TOUCHES))
    return Form(steps, rng.choice(list(forms.FORMS)), tuple(touches))


def examine_forms(
    assignment: Assignment, mutants: Sequence[Mutant], count: int, start: int, grade: Grade
) -> list[Finding]:
    """Grade programs in forms that are drawn; one finding for each trouble."""
    tried = drawn_forms(assignment, mutants, count, start)
    troubles = _troubles(tried, assignment, grade)
    return [_finding(*smallest(*tried[place], text, assignment, grade), assignment) for place, text in troubles.items()]


def _troubles(tried: Sequence[tuple[Program, Form]], assignment: Assignment, grade: Grade) -> dict[int, str]:
    """Return what is wrong, by the place of the program."""
    subjects = [program.rewritten(form, assignment, place) for place, (program, form) in enumerate(tried)]
    by_key = {trial.subject.key: trial for trial in grade(subjects)}
    found = {place: tried[place][0].trouble(by_key[subject.key]) for place, subject in enumerate(subjects)}
    return {place: text for place, text in found.items() if text}


def smallest(
    program: Program, form: Form, text: str, assignment: Assignment, grade: Grade
) -> tuple[Program, Form, str]:
    """Make the form simpler as long as there is trouble; return what is left, with its trouble."""
    while simpler := form.simpler():
        tried = [(program, one) for one in simpler]
        troubles = _troubles(tried, assignment, grade)
        if not troubles:
            break
        place, text = next(iter(troubles.items()))
        form = tried[place][1]
    return program, form, text


def _finding(program: Program, form: Form, text: str, assignment: Assignment) -> Finding:
    kind = "form" if program.mutant is None else "mutant's form"
    lines = "\n".join(_difference(program, form, assignment)[:MOST_LINES])
    return Finding(kind, f"{program.name}, {form}", f"{text}\n{lines}")


def _difference(program: Program, form: Form, assignment: Assignment) -> list[str]:
    before, after = Form().of(program.files, assignment), form.of(program.files, assignment)
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
