"""Finds results that need not be graded again: whole attempts, and checks that no change has touched."""

from __future__ import annotations

from grader.course import Assignment
from grader.course.check_digests import check_digests, unchanged
from grader.gradebook.store import Attempt, Gradebook, ResultKey
from grader.results import CheckResult


class Reuse:
    """Looks results up in a gradebook, under the assignments as they are now."""

    def __init__(self, book: Gradebook) -> None:
        self._book = book
        self._digests: dict[str, dict[str, str]] = {}

    def look_up(self, key: ResultKey, assignment: Assignment) -> Attempt | tuple[CheckResult, ...]:
        """Return the attempt at `key` if grading could only repeat it, else the checks that need not run again."""
        attempt = self._book.find(key)
        if attempt and attempt.answers(key):
            return attempt
        now = self._now(assignment)  # also without an earlier result, since the next run compares with it
        if attempt is None:
            return ()
        before = self._noted(attempt.assignment)
        if before == now and not attempt.broken:
            return attempt  # the change was in a comment or a due date
        checks = self._book.report_of(attempt).checks
        same = unchanged((check.id for check in checks), before, now)
        return tuple(check for check in checks if check.id in same and not check.is_broken)

    def _now(self, assignment: Assignment) -> dict[str, str]:
        digests = self._noted(assignment.digest)
        if not digests:
            digests = self._digests[assignment.digest] = check_digests(assignment)
            self._book.record_digests(assignment.digest, digests)
        return digests

    def _noted(self, assignment: str) -> dict[str, str]:
        if assignment not in self._digests:
            self._digests[assignment] = self._book.digests(assignment)
        return self._digests[assignment]
