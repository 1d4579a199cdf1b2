"""Makes reports of weeks that no check has graded, where a person has decided something about them all the same.

Such a week has the checks of whoever was graded last, without a verdict, so that points can be given task by task.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from grader.gradebook.database import texts
from grader.gradebook.together.desk import Together
from grader.inside import says
from grader.results import WEEK, Adjustment, CheckResult, Outcome, Override, Report
from grader.results.points import total, whole

NOTHING, NOT_GRADABLE = says("nothing handed in"), says("not gradable")  # why no check ran
MISSING = "missing"  # the kind of the line that says so, where that counts as zero

# Not what the class folder holds no longer, and nobody of whom it holds nothing and the roster knows nothing.
_UNGRADED = """
SELECT DISTINCT name, one.week, zeros.person IS NOT NULL FROM (
    SELECT person, week FROM overrides UNION SELECT person, week FROM zeros
) AS one JOIN people ON people.id = one.person
LEFT JOIN zeros ON zeros.person = one.person AND zeros.week = one.week
WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.person = one.person AND attempts.week = one.week)
AND NOT EXISTS (SELECT 1 FROM entries WHERE entries.person = one.person AND entries.week = one.week AND gone)
AND (listed OR NOT EXISTS (SELECT 1 FROM entries WHERE entries.person = one.person)
    OR EXISTS (SELECT 1 FROM entries WHERE entries.person = one.person AND NOT gone))
"""
_LATEST = "SELECT report FROM attempts WHERE week = ? ORDER BY id DESC LIMIT 1"


class ByHand(Together):
    """Weeks that people alone have graded."""

    def reports_by_hand(self) -> list[Report]:
        """Return a report of each week that no check has graded, and of which a person has decided something."""
        decided, adjusted = self.decisions(), self.adjuster()
        problems = {(name, week): message for name, week, message in self.rows(
            "SELECT name, coalesce(week, ''), message FROM problems JOIN people ON people.id = person"
        )}  # fmt: skip
        manual = {week: total(part.max_points for part in parts) for week, parts in self.manual_parts().items()}
        checks = _Checks(self._checks_of, manual)
        found = []
        for student, week, zero in self.rows(_UNGRADED):
            own = decided.get((student, week), [])
            why = problems.get((student, week)) or problems.get((student, "")) or ""
            counts_zero = zero and not why  # something was handed in since
            if own or counts_zero:
                report = adjusted(_ungraded(student, week, why, checks.of(week, own)))
                found.append(_zero(report, own) if counts_zero else report)
        return found

    def known_weeks(self) -> set[str]:
        """Return the weeks that the course has, as far as a run has seen them."""
        query = """
            SELECT week FROM weeks UNION SELECT week FROM attempts UNION SELECT week FROM overrides
            UNION SELECT week FROM problems WHERE week IS NOT NULL
        """
        return {str(week) for (week,) in self.rows(query)}

    def checks_of(self, week: str) -> tuple[CheckResult, ...]:
        """Return the checks of a week without a verdict, as far as anybody was graded."""
        return self._checks_of(week)

    def _checks_of(self, week: str) -> tuple[CheckResult, ...]:
        rows = self.rows(_LATEST, *texts(week))
        return tuple(map(_unjudged, json.loads(rows[0][0])["checks"])) if rows else ()


class _Checks:
    """Looks up the checks of each week once. `manual` has the points that people give, by week."""

    def __init__(self, look_up: Callable[[str], tuple[CheckResult, ...]], manual: Mapping[str, float]) -> None:
        self._look_up = look_up
        self._manual = manual
        self._found: dict[str, tuple[CheckResult, ...]] = {}

    def of(self, week: str, decided: Sequence[Override]) -> tuple[CheckResult, ...]:
        if week not in self._found:
            self._found[week] = self._look_up(week)
        most = next((one.most for one in reversed(decided) if one.most), 0)
        rest = max(0, whole(total((most, -self._manual.get(week, 0)))))
        return self._found[week] or ((_whole(rest),) if rest else ())


def _unjudged(data: dict[str, object]) -> CheckResult:
    known = CheckResult.brief_from_dict(data)
    return CheckResult(known.id, known.task, known.title, known.hidden, 0, known.max_points, Outcome.SKIPPED)


def _whole(most: int) -> CheckResult:
    """Stand for the checks of a week in which nobody was graded."""
    return CheckResult(WEEK, WEEK, "The whole week", False, 0, most, Outcome.SKIPPED)


def _ungraded(student: str, week: str, problem: str, checks: tuple[CheckResult, ...]) -> Report:
    by_hand = NOT_GRADABLE if problem else NOTHING
    unread = tuple(replace(check, message=by_hand) for check in checks)
    notes = (says(f"could not be graded by machine: {problem}"),) if problem else ()
    return Report(student, week, 0, "", "", "", unread, notes, by_hand=by_hand)


def _zero(report: Report, decided: Sequence[Override]) -> Report:
    """Count as zero what nobody has scored, unless a person has scored the whole week or excused it."""
    if any(one.slot == (WEEK, False) for one in decided):
        return report
    line = Adjustment("Nothing was handed in", 0, "what nobody has scored counts as 0", WEEK, MISSING)
    return replace(report, adjustments=(line, *report.adjustments))
