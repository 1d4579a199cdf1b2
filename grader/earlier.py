"""What need not be graded again: whole results, and single checks that a change to the assignment did not touch."""

from __future__ import annotations

from grader.assignment import Assignment
from grader.fingerprints import check_digests, unchanged
from grader.gradebook import Gradebook, ResultKey
from grader.results import CheckResult, Report


class Earlier:
    """Looks results up in a gradebook, under the assignments as they are now."""

    def __init__(self, book: Gradebook) -> None:
        self._book = book
        self._digests: dict[str, dict[str, str]] = {}

    def final(self, key: ResultKey, assignment: Assignment) -> Report | None:
        """The result for `key`, if grading could give no other one; None: grade, at least in part."""
        found = self._book.find(key)
        if found is None:
            earlier = self._book.find_earlier(key)
            before = self._noted(earlier.assignment) if earlier else {}
            if earlier and not earlier.broken and before and before == self._now(assignment):
                return earlier  # the change was in a comment, a title or a due date
        return found

    def checks(self, key: ResultKey, assignment: Assignment) -> tuple[CheckResult, ...]:
        """The results of an earlier run whose checks can only come out the same."""
        now = self._now(assignment)  # also where there is no earlier result: it is what the next run compares with
        earlier = self._book.find_earlier(key)
        if earlier is None:
            return ()
        same = unchanged((check.id for check in earlier.checks), self._noted(earlier.assignment), now)
        return tuple(check for check in earlier.checks if check.id in same and not check.is_broken)

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
