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

    def look_up(self, key: ResultKey, assignment: Assignment) -> tuple[Report | None, tuple[CheckResult, ...]]:
        """The result for `key` if grading could give no other, else None, and the checks that need not run again."""
        found = self._book.find(key)
        if found:
            return found, ()
        now = self._now(assignment)  # also where there is no earlier result: it is what the next run compares with
        earlier = self._book.find_earlier(key)
        if earlier is None:
            return None, ()
        before = self._noted(earlier.assignment)
        if before == now and not earlier.broken:
            return earlier, ()  # the change was in a comment or a due date
        same = unchanged((check.id for check in earlier.checks), before, now)
        return None, tuple(check for check in earlier.checks if check.id in same and not check.is_broken)

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
