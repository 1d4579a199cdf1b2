"""Grade a class: find the submissions, grade what is new, and write the gradebook, reports and class page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.assignment import Assignment, Course
from grader.cluster import Cluster
from grader.dashboard import write_dashboard
from grader.earlier import Earlier
from grader.errors import SubmissionError, UsageError
from grader.gradebook import Gradebook, ResultKey
from grader.grades import write_grades
from grader.intake import Candidate, Submission, Survey, load, safe_name, survey
from grader.late import lateness
from grader.pool import Failure, Job, Pool
from grader.progress import Progress
from grader.reports import write_report
from grader.results import Report
from grader.roster import Roster, read_roster
from grader.sandbox import Sandbox
from grader.tables import trouble_lines
from grader.version import VERSION


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
    problems: list[str] = field(default_factory=list)


def grade_class(course: Course, options: BatchOptions, place: Sandbox | Cluster, progress: Progress) -> BatchResult:
    """Grade every submission that the gradebook in `options.out` does not hold yet; resumable at any point.

    `place` is this machine's sandbox, or the other machines that grade, each in its own.
    """
    found, roster = find_class(course, options)
    candidates = found.candidates
    _writable(options.out)
    result = BatchResult(ignored=found.ignored, missing=roster.missing(candidate.student for candidate in candidates))
    with Gradebook(options.out / "gradebook.sqlite") as book:
        for student in sorted({candidate.student for candidate in candidates}):
            book.clear_problems(student)
        try:
            if options.roster:
                book.record_roster(roster.sections)
            _note_lateness(course, candidates, roster, book)
            jobs = list(_jobs(course, options, candidates, book, result))
            _grade(jobs, _judges(course, options, place, jobs), options.out, book, result, progress)
        finally:
            result.problems = write_class(book, options.out)
    return result


def _judges(course: Course, options: BatchOptions, place: Sandbox | Cluster, jobs: Sequence[Job]) -> Pool | Cluster:
    if isinstance(place, Cluster):
        return place
    weeks = sorted({job.week for job in jobs})
    return Pool(course.root, weeks, min(options.jobs or os.cpu_count() or 1, len(jobs)), place)


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


def _jobs(
    course: Course,
    options: BatchOptions,
    candidates: Sequence[Candidate],
    book: Gradebook,
    result: BatchResult,
) -> Iterator[Job]:
    """A job for each submission that has to be graded; the unreadable ones go into the gradebook as problems."""
    assignments = course.assignments()  # once: each takes reading its files to know its digest
    earlier = Earlier(book)
    for candidate in candidates:
        try:
            submission = load(candidate)
        except SubmissionError as error:
            book.record_problem(candidate.student, candidate.week, str(error))
            continue
        key = _key(assignments[submission.week], submission, options.seed)
        kept, checks = (None, ()) if options.regrade else earlier.look_up(key, assignments[submission.week])
        if kept is None:
            yield replace(job_of(submission, options.seed), kept=checks)
        else:
            result.kept += 1
            folder = report_folder(options.out, kept)
            if not (folder / "report.html").exists():
                write_report(book.adjusted(kept), folder)


def job_of(submission: Submission, seed: int) -> Job:
    """What a judge needs to grade a submission."""
    return Job(submission.student, submission.week, submission.files, submission.digest, submission.notes, seed)


def _note_lateness(course: Course, candidates: Sequence[Candidate], roster: Roster, book: Gradebook) -> None:
    """Lateness is found anew on every run, so that a changed due date or extension needs no grading."""
    assignments = course.assignments()
    for candidate in candidates:
        if candidate.week is not None:
            extension = roster.extension(candidate.student, candidate.week)
            late = lateness(assignments[candidate.week], candidate.handed, extension)
            if late != book.late_of(candidate.student, candidate.week):
                # Removed before that is noted: whenever a run is killed, the next one writes the report anew.
                folder = _folder_of(book.path.parent, candidate.student, candidate.week)
                (folder / "report.html").unlink(missing_ok=True)
                book.record_late(candidate.student, candidate.week, late)


def _key(assignment: Assignment, submission: Submission, seed: int) -> ResultKey:
    return ResultKey(submission.student, submission.week, submission.digest, assignment.digest, VERSION, seed)


def _grade(
    jobs: Sequence[Job], judges: Pool | Cluster, out: Path, book: Gradebook, result: BatchResult, progress: Progress
) -> None:
    result.left = len(jobs)
    with progress.of(len(jobs), result.kept, sum(bool(job.kept) for job in jobs)), closing(judges.run(jobs)) as results:
        for done in results:
            result.left -= 1
            if isinstance(done, Failure):
                book.record_problem(done.job.student, done.job.week, done.message)
                progress.failed(done.job.student, done.job.week, done.message)
            else:
                result.graded += 1
                book.record(done)
                final = book.adjusted(done)
                write_report(final, report_folder(out, final))
                progress.graded(final)


def report_folder(out: Path, report: Report) -> Path:
    """Where one student's report for one week lies."""
    return _folder_of(out, report.student, report.week)


def _folder_of(out: Path, student: str, week: str) -> Path:
    return out / "students" / safe_name(student) / week


def write_class(book: Gradebook, out: Path) -> list[str]:
    """Write grades.csv and the class page from the gradebook; a line for each thing that is not final."""
    reports, problems, roster = book.current(), book.problems(), book.roster()
    write_grades(reports, problems, out / "grades.csv", roster)
    write_dashboard(reports, problems, out, safe_name, roster)
    return trouble_lines(reports, problems)
