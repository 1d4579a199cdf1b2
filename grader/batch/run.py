"""Grades a class: finds the submissions, grades what is new, writes the gradebook, reports and class page."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.batch.backend import Backend
from grader.batch.changed import Before
from grader.batch.deliveries import note_deliveries
from grader.batch.kept_roster import kept_roster
from grader.batch.missing import note_missing
from grader.batch.pages import join_reports, mend_reports, note_course, outdate_reports, report_folder, write_class
from grader.batch.seeds import Seeds
from grader.batch.who import Members, find_members, record_members
from grader.course import Course
from grader.errors import SubmissionError, UsageError
from grader.files import make_folder
from grader.gradebook import Attempt, Gradebook, Problem, ResultKey
from grader.gradebook.reuse import Reuse
from grader.intake import Candidate, Survey, load, survey, surveyed_digest
from grader.intake.collect import Collected, Files
from grader.intake.lateness import lateness, untimed
from grader.intake.reading.refusals import Refusals
from grader.intake.roster import Roster, read_roster
from grader.intake.submission import Submission
from grader.intake.survey import MOST_CARRIED
from grader.judging.job import Job, Ungraded, job_of
from grader.reports.pages import is_current, outdate, write_report
from grader.reports.progress import Progress
from grader.reports.terminal import trouble_lines
from grader.results import CheckResult, Report
from grader.version import READER, VERSION


@dataclass(frozen=True)
class BatchOptions:
    """The options of the command line. `jobs` is how many judges the backend should have, None for one for each core.

    Without a `seed` the run draws one for all work that was not graded before (see `seeds`).
    `missing` says whether nothing handed in counts as `ZERO` or stays `EMPTY`; None: as in the last run.
    Files of up to `most_carried` bytes stay in memory from the survey until they are graded.
    """

    submissions: Path
    out: Path
    weeks: Sequence[str] = ()
    seed: int | None = None
    jobs: int | None = None
    regrade: bool = False
    layout: str | None = None
    roster: Path | None = None
    missing: str | None = None
    most_carried: int = MOST_CARRIED


@dataclass
class BatchResult:
    """The result for a class: reports newly graded and kept, and what could not be graded, by name.

    `ignored` are the entries of the class folder that are no submissions, each with the reason; `members` tells who is
    not there, not on the roster, gone, or not clear.
    """

    ignored: Sequence[tuple[str, str]] = ()
    members: Members = field(default_factory=lambda: Members((), Roster()))
    graded: int = 0
    seeds: set[int] = field(default_factory=set)  # of those graded
    kept: int = 0
    left: int = 0
    reports: Sequence[Report] = ()  # of the whole class, in brief
    problems: Sequence[Problem] = ()
    changed: Sequence[str] = ()  # lines that say which earlier grades are others now, and why
    untimed: Mapping[str, int] = field(default_factory=dict)  # works by week, where nothing tells if they are late
    zeros: Sequence[tuple[str, str]] = ()  # students' weeks that count as zero, as nothing was handed in

    @property
    def trouble(self) -> list[str]:
        """A line for each thing that is not final."""
        return trouble_lines(self.reports, self.problems)


def grade_class(course: Course, options: BatchOptions, backend: Backend, progress: Progress) -> BatchResult:
    """Grade every submission that the gradebook in `options.out` does not hold yet; resumable at any point."""
    with ExitStack() as opened:
        file = options.out / "gradebook.sqlite"
        # Where there is none yet, none is made before there is something to grade.
        book = opened.enter_context(Gradebook(file)) if file.is_file() else None
        refusals = _refusals(options, book)
        found, members = find_class(course, options, refusals, book)
        _writable(options.out)
        book = book or opened.enter_context(Gradebook(file))
        book.record_refusals(refusals.new)
        return _graded(course, options, backend, progress, book, BatchResult(found.ignored, members))


def _graded(
    course: Course, options: BatchOptions, backend: Backend, progress: Progress, book: Gradebook, result: BatchResult
) -> BatchResult:
    members = result.members
    candidates = members.candidates
    before = Before(book)
    outdate_reports(options.out, members.renamed)
    note_course(book, options.out, course)
    record_members(members, options.submissions, book)
    book.clear_problems(candidate.student for candidate in candidates)
    try:
        note_lateness(course, candidates, members.roster, book)
        handed = ((one.week, one.handed) for one in candidates if one.week is not None and one.place is not None)
        result.untimed = untimed(course.assignments(), handed)
        note_deliveries(course, candidates, members.roster, book)
        book.record_weeks({week: assignment.manual for week, assignment in course.assignments().items()})
        with closing(backend):
            run = _Run(course, options, backend, book, result, progress)
            if not book.has_attempts():
                run.prepare([candidate for candidate in candidates if not candidate.problem])
            run.grade([candidate for candidate in candidates if run.has_to_grade(candidate)])
            run.end(candidates)
        result.zeros = note_missing(course, members.roster, book, options.missing)
        join_reports(book, options.out, members.merged)
        mend_reports(book, options.out)
    finally:
        result.reports, result.problems = write_class(book, options.out)
    result.changed = before.changed(book, result.reports)
    return result


def _refusals(options: BatchOptions, book: Gradebook | None) -> Refusals:
    """Return what earlier runs could not read within the budget, as far as this grader would read it the same way."""
    reader = f"{READER}, Python {platform.python_version()}"
    return Refusals(reader) if options.regrade or book is None else Refusals(reader, book.refusals())


def find_class(
    course: Course, options: BatchOptions, refusals: Refusals | None = None, book: Gradebook | None = None
) -> tuple[Survey, Members]:
    """Survey the class folder, and put what it holds to the people of the roster and the gradebook."""
    weeks, carried = options.weeks or None, options.most_carried
    found = survey(options.submissions, course, weeks, options.layout, carried, refusals)
    roster = read_roster(options.roster, course.assignments()) if options.roster else kept_roster(book)
    return found, find_members(found, roster, options.submissions, book)


def _writable(out: Path) -> None:
    try:
        make_folder(out)
    except OSError as error:
        raise UsageError(f"{out}: cannot write reports there ({error.strerror}); choose another --out") from None


class _Run:
    """One run over a class. Only a few submissions are in memory at a time, beside those that the survey carries."""

    def __init__(
        self,
        course: Course,
        options: BatchOptions,
        backend: Backend,
        book: Gradebook,
        result: BatchResult,
        progress: Progress,
    ) -> None:
        self._assignments = course.assignments()  # once: the digest of each takes reading its files
        self._options = options
        self._backend = backend
        self._book = book
        self._reuse = Reuse(book)
        self._seeds = Seeds(book, options.seed)
        self._result = result
        self._progress = progress
        self._partly = 0
        self._sourced = set() if options.regrade else book.kept_sources()  # anew: what is kept may be damaged
        self._answered = {} if options.regrade else book.answered()

    def prepare(self, candidates: Sequence[Candidate]) -> list[str]:
        """Have the backend begin to start for these candidates; return their weeks."""
        weeks = sorted({str(candidate.week) for candidate in candidates})
        if weeks:
            self._backend.prepare(weeks, len(candidates))
        return weeks

    def has_to_grade(self, candidate: Candidate) -> bool:
        """Tell whether there is no result yet. Where there is one, write its report if that is missing."""
        try:
            found = self._look_up(candidate, surveyed_digest(candidate))
        except SubmissionError as error:
            self._book.record_problem(candidate.student, candidate.week, str(error))
            return False
        if isinstance(found, Attempt):
            self._keep(candidate, found)
            return False
        self._partly += bool(found)
        return True

    def grade(self, candidates: Sequence[Candidate]) -> None:
        """Grade them, and record each result as it comes."""
        self._result.left = len(candidates)
        weeks = self.prepare(candidates)
        counts = Counter(str(candidate.week) for candidate in candidates)
        self._book.note_progress(len(candidates), self._result.kept)
        shown = self._progress.of(counts, self._result.kept, self._partly)
        with shown, closing(self._backend.run(self._jobs(candidates), weeks)) as results:
            for done in results:
                self._record(done)

    def end(self, candidates: Sequence[Candidate]) -> None:
        """Note that all of them have been looked at. An interrupted run does not get here, and so is gone on with."""
        self._book.note_progress(0, 0)
        self._book.drop_old_sources()
        self._seeds.end({candidate.week for candidate in candidates if candidate.week is not None})

    def _jobs(self, candidates: Iterable[Candidate]) -> Iterator[Job]:
        """Yield the jobs. An entry that is read again may have changed: it may have its result, or be unreadable."""
        for candidate in candidates:
            try:
                submission = load(candidate)
            except SubmissionError as error:
                self._result.left -= 1
                self._book.record_problem(candidate.student, candidate.week, str(error))
                self._progress.failed(candidate.student, str(candidate.week), str(error))
                continue
            found = self._look_up(candidate, submission.digest)
            self._keep_sources(submission.digest, submission.files)
            self._keep_answers(submission)
            if isinstance(found, Attempt):
                self._result.left -= 1
                self._keep(candidate, found)
            else:
                seed = self._seeds.of(candidate.student, str(candidate.week), submission.digest)
                yield replace(job_of(submission, seed), kept=found)

    def _look_up(self, candidate: Candidate, digest: str) -> Attempt | tuple[CheckResult, ...]:
        """Return the result for these files if there is one, else results of checks that need not run again."""
        if self._options.regrade:
            return ()
        week = str(candidate.week)
        assignment = self._assignments[week]
        seed = self._seeds.of(candidate.student, week, digest)
        key = ResultKey(candidate.student, week, digest, assignment.digest, VERSION, seed)
        return self._reuse.look_up(key, assignment)

    def _keep(self, candidate: Candidate, attempt: Attempt) -> None:
        self._result.kept += 1
        if isinstance(candidate.collected, Collected):
            self._keep_sources(candidate.collected.digest, candidate.collected.files)
            with suppress(SubmissionError):  # it was read before, and may have to be read again: it is kept then
                if candidate.collected.answered != self._answered.get((candidate.student, str(candidate.week)), ""):
                    self._keep_answers(load(candidate))
        folder = report_folder(self._book, self._options.out, candidate.student, str(candidate.week))
        if not is_current(folder):
            write_report(self._book.adjusted(self._book.report_of(attempt)), folder)

    def _keep_sources(self, digest: str, files: Files | None) -> None:
        """Keep a work's modules for the teacher's pages."""
        if files is not None and digest not in self._sourced:
            self._sourced.add(digest)
            self._book.record_sources(digest, files)

    def _keep_answers(self, submission: Submission) -> None:
        """Keep what of a work people grade, for the desk."""
        key = (submission.student, submission.week)
        if submission.answered != self._answered.get(key, ""):
            self._answered[key] = submission.answered
            self._book.record_answers(*key, submission.answered, submission.answers)

    def _record(self, done: Report | Ungraded) -> None:
        self._result.left -= 1
        if isinstance(done, Ungraded):
            self._book.record_problem(done.job.student, done.job.week, done.message)
            self._progress.failed(done.job.student, done.job.week, done.message)
            return
        self._result.graded += 1
        self._result.seeds.add(done.seed)
        folder = report_folder(self._book, self._options.out, done.student, done.week)
        outdate(folder)
        self._book.record(done)
        final = self._book.adjusted(done)
        write_report(final, folder)
        self._progress.graded(final)


def note_lateness(course: Course, candidates: Sequence[Candidate], roster: Roster, book: Gradebook) -> None:
    """Note lateness anew on every run, so that a changed due date or extension needs no grading."""
    assignments = course.assignments()
    for candidate in candidates:
        if candidate.week is not None:
            extension = roster.extension(candidate.student, candidate.week)
            late = lateness(assignments[candidate.week], candidate.handed, extension)
            if late != book.late_of(candidate.student, candidate.week):
                outdate(report_folder(book, book.path.parent, candidate.student, candidate.week))
                book.record_late(candidate.student, candidate.week, late)
