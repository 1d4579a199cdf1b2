"""Holds what is known of a week's checks, and which of them a change can touch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from grader.course.check_digests import unchanged
from grader.results import CheckResult, Outcome, told_once
from grader.watching.spares import Check

_WAITS = (Outcome.PASSED, Outcome.TODO, Outcome.BROKEN)  # never reported as waiting for another task
_BY_CHANCE = (Outcome.TIMEOUT, Outcome.MEMORY, Outcome.KILLED)  # a busy machine may do that, so it is tried again


class State:
    """Keeps the latest result of each check, with the digest of all that it depended on."""

    def __init__(self, checks: Iterable[Check]) -> None:
        self.checks = tuple(checks)
        self._results: dict[str, CheckResult] = {}
        self._digests: dict[str, str] = {}
        self._now: Mapping[str, str] = {}

    def touched(self, digests: Mapping[str, str]) -> list[Check]:
        """Return the checks that have to run, now that the files have these digests, in their order."""
        self._now = digests
        same = unchanged(self._results, self._digests, digests)
        kept = {id for id in same if _holds(self._results[id])}
        return [check for check in self.checks if check.id not in kept]

    def note(self, result: CheckResult) -> None:
        """Keep a result of the latest files."""
        self._results[result.id] = result
        name = result.id.partition("[")[0]
        self._digests[name] = self._now.get(name, "")

    def forget(self) -> None:
        """Have every check run again."""
        self._results.clear()

    def results(self) -> list[CheckResult]:
        """Return what is known, in the order of the checks; what one cause has ended is told once."""
        lost = {one.task for one in self._results.values() if one.outcome is not Outcome.PASSED}
        known = [(check, self._results[check.id]) for check in self.checks if check.id in self._results]
        return list(told_once([_waiting(result, check.needs, lost) for check, result in known]))


def _holds(result: CheckResult) -> bool:
    """Tell whether a result of unchanged code is still good: one that names a line is not, since lines move."""
    return result.outcome is Outcome.PASSED or (result.outcome not in _BY_CHANCE and ".py:" not in result.message)


def _waiting(result: CheckResult, needs: Iterable[str], lost: Collection[str]) -> CheckResult:
    unmet = next((task for task in needs if task in lost), None)
    if unmet is None or result.outcome in _WAITS:
        return result
    return replace(
        result, outcome=Outcome.SKIPPED, message=f"needs task {unmet}, which does not pass all its checks yet", cause=""
    )
