"""Grade a class: find the submissions, grade what is new, and write the gradebook, reports and class page."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from grader.batch.cluster import Cluster
from grader.course import Course
from grader.errors import SubmissionError, UsageError
from grader.files import remove_halves
from grader.gradebook import Attempt, Gradebook, Problem, ResultKey
from grader.gradebook.reuse import Reuse
from grader.intake import Candidate, Survey, load, safe_name, survey
from grader.intake.lateness import lateness
from grader.intake.roster import Roster, read_roster
from grader.judging.job import Job, Ungraded, job_of
from grader.judging.pool import Pool
from grader.reports.class_page import write_class_page
from grader.reports.figures import write_grades
from grader.reports.pages import is_current, outdate, write_report
from grader.reports.progress import Progress
from grader.reports.terminal import trouble_lines
from grader.results import Report
from grader.sandbox import Sandbox
from grader.version import VERSION

Grading = Callable[[Iterable[Job]], Generator[Report | Ungraded, None, None]]


@dataclass(frozen=True)
class BatchOptions:
    """What the command line asks for; `jobs` is the number of judges, None for one a core."""

    submissions: Path
    out: Path
    weeks: Sequence[str] = ()
    seed: int = 0
    jobs: int | None = None
    regrade: bool = False
    layout: str | None = None
    roster: Path | None = None


@dataclass
class BatchResult:
    """What became of the class: reports newly graded and taken over, and what could not be graded, by name.

    `ignored` are the entries of the class folder that are no submissions, each with the reason; `missing` are those of
    the roster who handed in nothing.
    """

    ignored: Sequence[tuple[str, str]] = ()
    missing: Sequence[str] = ()
    graded: int = 0
    kept: int = 0
    left: int = 0
    reports: Sequence[Report] = ()  # of the whole class, in brief
    problems: Sequence[Problem] = ()

    @property
    def trouble(self) -> list[str]:
        """A line for each thing that is not final."""
        return trouble_lines(self.reports, self.problems)


def grade_class(course: Course, options: BatchOptions, place: Sandbox | Cluster, progress: Progress) -> BatchResult:
    """Grade every submission that the gradebook in `options.out` does not hold yet; resumable at any point.

    `place` is this machine's sandbox, or the other machines that grade, each in its own.
    """
    found, roster = find_class(course, options)
    candidates = found.candidates
    _writable(options.out)
    result = BatchResult(ignored=found.ignored, missing=roster.missing(candidate.student for candidate in candidates))
    with Gradebook(options.out / "gradebook.sqlite") as book:
        book.clear_problems(candidate.student for candidate in candidates)
        try:
            if options.roster:
                book.record_roster(roster.sections)
            _note_lateness(course, candidates, roster, book)
            with closing(_Run(course, options, book, result, progress)) as run:
                if not book.has_attempts():
                    run.start_early(place, [candidate for candidate in candidates if not candidate.problem])
                run.grade([candidate for candidate in candidates if run.has_to_grade(candidate)], place)
        finally:
            result.reports, result.problems = write_class(book, options.out)
    return result


def find_class(course: Course, options: BatchOptions) -> tuple[Survey, Roster]:
    """What the class folder holds, under the names of the roster."""
    found = survey(options.submissions, course, options.weeks or None, options.layout)
    roster = read_roster(options.roster) if options.roster else Roster()
    return replace(found, candidates=tuple(roster.applied(found.candidates))), roster


def _writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out}: cannot write reports there ({error.strerror}); choose another --out") from None


class _Run:
    """One run over a class, with no more than a few of its submissions in memory.

    Each is read when it is looked at, and again when a judge is about to get free.
    """

    def __init__(
        self, course: Course, options: BatchOptions, book: Gradebook, result: BatchResult, progress: Progress
    ) -> None:
        self._root = course.root
        self._assignments = course.assignments()  # once: each takes reading its files to know its digest
        self._options = options
        self._book = book
        self._earlier = Reuse(book)
        self._result = result
        self._progress = progress
        self._partly = 0
        self._early: Pool | None = None

    def start_early(self, place: Sandbox | Cluster, candidates: Sequence[Candidate]) -> None:
        """Where all of these are to be graded, have judges start while the submissions are looked at."""
        weeks = {str(candidate.week) for candidate in candidates}
        if weeks and not isinstance(place, Cluster):
            self._early = self._pool(place, sorted(weeks), len(candidates))
            self._early.start()

    def close(self) -> None:
        """End what was started early, if nothing else has."""
        if self._early is not None:
            self._early.close()

    def has_to_grade(self, candidate: Candidate) -> bool:
        """Whether there is no result yet; one that is there has its report written where that is missing."""
        found = self._look_at(candidate)
        if isinstance(found, Attempt):
            self._keep(candidate, found)
        elif isinstance(found, Job):
            self._partly += bool(found.kept)
        return isinstance(found, Job)

    def grade(self, candidates: Sequence[Candidate], place: Sandbox | Cluster) -> None:
        """Grade them, and record each result as it comes."""
        self._result.left = len(candidates)
        weeks = Counter(str(candidate.week) for candidate in candidates)
        grading = self._judges(place, sorted(weeks), len(candidates))
        shown = self._progress.of(weeks, self._result.kept, self._partly)
        with shown, closing(grading(self._jobs(candidates))) as results:
            for done in results:
                self._record(done)

    def _judges(self, place: Sandbox | Cluster, weeks: Sequence[str], count: int) -> Grading:
        if isinstance(place, Cluster):
            return partial(place.run, weeks=weeks)
        return (self._early or self._pool(place, weeks, count)).run

    def _pool(self, sandbox: Sandbox, weeks: Sequence[str], count: int) -> Pool:
        return Pool(self._root, weeks, min(self._options.jobs or os.cpu_count() or 1, count), sandbox)

    def _jobs(self, candidates: Iterable[Candidate]) -> Iterator[Job]:
        for candidate in candidates:
            found = self._look_at(candidate)
            if isinstance(found, Job):
                yield found
                continue
            self._result.left -= 1  # it has changed while others were graded
            if isinstance(found, Attempt):
                self._keep(candidate, found)
            else:
                self._progress.failed(candidate.student, str(candidate.week), str(found))

    def _keep(self, candidate: Candidate, attempt: Attempt) -> None:
        self._result.kept += 1
        folder = _folder_of(self._options.out, candidate.student, str(candidate.week))
        if not is_current(folder):
            write_report(self._book.adjusted(self._book.report_of(attempt)), folder)

    def _look_at(self, candidate: Candidate) -> Job | Attempt | SubmissionError:
        """What a judge has to do, the result that there is, or why there is none, which is recorded."""
        try:
            submission = load(candidate)
        except SubmissionError as error:
            self._book.record_problem(candidate.student, candidate.week, str(error))
            return error
        job = job_of(submission, self._options.seed)
        if self._options.regrade:
            return job
        assignment = self._assignments[job.week]
        key = ResultKey(job.student, job.week, job.digest, assignment.digest, VERSION, job.seed)
        found = self._earlier.look_up(key, assignment)
        return found if isinstance(found, Attempt) else replace(job, kept=found)

    def _record(self, done: Report | Ungraded) -> None:
        self._result.left -= 1
        if isinstance(done, Ungraded):
            self._book.record_problem(done.job.student, done.job.week, done.message)
            self._progress.failed(done.job.student, done.job.week, done.message)
            return
        self._result.graded += 1
        folder = report_folder(self._options.out, done)
        outdate(folder)
        self._book.record(done)
        final = self._book.adjusted(done)
        write_report(final, folder)
        self._progress.graded(final)


def _note_lateness(course: Course, candidates: Sequence[Candidate], roster: Roster, book: Gradebook) -> None:
    """Lateness is found anew on every run, so that a changed due date or extension needs no grading."""
    assignments = course.assignments()
    for candidate in candidates:
        if candidate.week is not None:
            extension = roster.extension(candidate.student, candidate.week)
            late = lateness(assignments[candidate.week], candidate.handed, extension)
            if late != book.late_of(candidate.student, candidate.week):
                outdate(_folder_of(book.path.parent, candidate.student, candidate.week))
                book.record_late(candidate.student, candidate.week, late)


def report_folder(out: Path, report: Report) -> Path:
    """Where one student's report for one week lies."""
    return _folder_of(out, report.student, report.week)


def _folder_of(out: Path, student: str, week: str) -> Path:
    return out / "students" / safe_name(student) / week


def write_class(book: Gradebook, out: Path) -> tuple[list[Report], list[Problem]]:
    """Write grades.csv and the class page from the gradebook; return what they show: brief reports, problems."""
    remove_halves(out)
    reports, problems, roster = book.overview(), book.problems(), book.roster()
    write_grades(reports, problems, out / "grades.csv", roster)
    write_class_page(reports, problems, out, safe_name, roster)
    return reports, problems
