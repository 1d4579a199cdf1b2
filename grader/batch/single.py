"""Grades one submission: at the desk, or in a CI job, where it also writes the files that the job's host reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.course import Assignment, Course
from grader.errors import SubmissionError
from grader.exports import ci_job, gradescope_metadata
from grader.exports.ci_job import CiJob
from grader.inside import says
from grader.intake import Submission, empty_submission, load_folder
from grader.judging.job import job_of
from grader.judging.pool import grade_alone
from grader.language.texts import texts_of
from grader.results import Report
from grader.sandbox import Sandbox


def grade_submission(
    course: Course, submission: Submission, sandbox: Sandbox, seed: int = 0, language: str = ""
) -> Report:
    """Grade it in a judge of its own, by the checks of `course`; the report is in its language, or the one named."""
    report = grade_alone(course.root, job_of(submission, seed), sandbox)
    assignment, contact = course.assignment(report.week), course.settings.contact
    language = language or course.settings.language
    notes = [
        says(f"{part.title} ({part.max_points} points) is graded by a person, and is not in this score")
        for part in assignment.manual
    ]
    report = replace(report, notes=(*report.notes, *notes), language=language, contact=contact)
    return report.said_in(texts_of(assignment.folders, language))


def grade_ci_job(
    course: Course, assignment: Assignment, job: CiJob, sandbox: Sandbox, out: Path, seed: int = 0
) -> tuple[Report, list[Path]]:
    """Grade a job's submission; write the report into `out`, and what the host reads; return it and files to see."""
    submission = _submission(job.folder, assignment)
    submission = replace(submission, student=ci_job.student_of(job) or submission.student)
    report = grade_submission(course, submission, sandbox, seed)
    if job.host == "gradescope":
        told = ci_job.told_by_gradescope(job)
        report = gradescope_metadata.noted(report, assignment, told, tuple(sorted(submission.files)))
    return report, ci_job.write(job, report, out)


def _submission(folder: Path, assignment: Assignment) -> Submission:
    """Read what is in the folder; if that is nothing, return an empty submission, whose report says so."""
    try:
        return load_folder(folder, assignment)
    except SubmissionError as error:
        return empty_submission(folder, assignment, says(f"nothing to grade was found: {error}"))
