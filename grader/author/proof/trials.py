"""Grades in real judges what a week's checks are tried on: reference, skeleton, variants and mutants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.author.proof.mutants import Mutant, reference_files
from grader.course import Assignment
from grader.errors import CourseError
from grader.judging.job import Job, Ungraded
from grader.judging.pool import Pool
from grader.judging.shortcuts import Shortcuts
from grader.results import CheckResult, Report
from grader.sandbox import Sandbox

REFERENCE, SKELETON, VARIANT, MUTANT = "reference", "skeleton", "variant", "mutant"


@dataclass(frozen=True)
class Subject:
    """Something to grade: its kind, its name (a variant's folder, a mutant's id), and its files.

    Where `tasks` are named, it is graded by their checks, and those of the tasks that these need.
    """

    kind: str
    name: str
    files: dict[str, bytes]
    seed: int = 0
    tasks: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.kind} {self.name} {self.seed}"


@dataclass(frozen=True)
class Trial:
    """A graded subject: a report, or the reason why there is none."""

    subject: Subject
    report: Report | None
    failure: str = ""


def subjects_of(
    assignment: Assignment, mutants: Iterable[Mutant], seeds: Sequence[int], tasks: tuple[str, ...] = ()
) -> list[Subject]:
    """Return all that a week is tried on: the reference and each variant with each seed, all others with the first.

    Where `tasks` are named, all but the mutants are tried by their checks alone.
    """
    reference = reference_files(assignment)
    skeleton = {f"{module}.py": source for module, source in assignment.skeletons.items()}
    correct = [(REFERENCE, assignment.week, reference)]
    correct += [(VARIANT, name, files) for name, files in variants_of(assignment)]
    return [
        # Seed by seed, as programs with the same seed are asked the same, which is drawn once.
        *(Subject(kind, name, files, seed, tasks) for seed in seeds for kind, name, files in correct),
        Subject(SKELETON, assignment.week, skeleton, seeds[0], tasks),
        *(Subject(MUTANT, mutant.id, mutant.apply(reference), seeds[0]) for mutant in mutants),
    ]


def variants_of(assignment: Assignment) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield each folder in `solutions/weekN/variants/` with its files. `CourseError` where one lacks a module."""
    assert assignment.hidden_folder is not None
    for folder in sorted(path for path in (assignment.hidden_folder / "variants").glob("*") if path.is_dir()):
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.py"))}
        if missing := [module for module in assignment.modules if f"{module}.py" not in files]:
            raise CourseError(f"{folder}: a variant has all modules of the week; it lacks {', '.join(missing)}")
        yield folder.name, files


def run(
    root: Path, week: str, subjects: Sequence[Subject], sandbox: Sandbox, jobs: int,
    shortcuts: Shortcuts | None = None, kept: Callable[[Subject], tuple[CheckResult, ...]] = lambda subject: (),
) -> Iterator[Trial]:  # fmt: skip
    """Grade the subjects in warm judges; yield each trial as soon as it is done. Checks that are `kept` do not run.

    What is kept is asked when a subject's turn comes: trials that were yielded before may tell.
    """
    by_key = {subject.key: subject for subject in subjects}
    queued = (Job(key, week, one.files, "", (), one.seed, kept(one), one.tasks) for key, one in by_key.items())
    for done in Pool(root, [week], min(jobs, len(by_key)), sandbox, shortcuts).run(queued):
        if isinstance(done, Ungraded):
            yield Trial(by_key[done.job.student], None, done.message)
        else:
            yield Trial(by_key[done.student], done)
