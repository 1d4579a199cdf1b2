"""Groups those who lost a check by what went wrong, the largest group first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.desk.model.code import lines_of as python_lines
from grader.desk.model.snapshot import Key, Snapshot
from grader.reports.failures import reason
from grader.reports.figures import by_name
from grader.reports.teacher import Excerpt, excerpts
from grader.results import CheckResult, Outcome

WAITING = (Outcome.PASSED,)
MOST_GROUPS = 20  # of a page
MOST_SHOWN = 12  # members of a group whose lines a page shows; the others are named


@dataclass(frozen=True)
class Loss:
    """One student's loss of a check."""

    key: Key
    student: str
    attempt: int
    check: CheckResult


@dataclass(frozen=True)
class Group:
    """Students who lost a check in the same way."""

    reason: str
    outcome: Outcome
    losses: tuple[Loss, ...]


def checks_of(snapshot: Snapshot, week: str) -> list[CheckResult]:
    """Return the checks of a week as somebody has them, in order; they are found once for each state of the class."""
    kept = snapshot.checks.get(week)
    if kept is not None and kept[0] == snapshot.attempted:
        known: list[CheckResult] = kept[1]
        return known
    found: dict[str, CheckResult] = {}
    for (_, own), report in snapshot.reports.items():
        if own == week and not report.by_hand:
            for check in report.checks:
                found.setdefault(check.id, check)
    snapshot.checks[week] = (snapshot.attempted, [*found.values()])
    return [*found.values()]


def groups_of(snapshot: Snapshot, week: str, check: str) -> list[Group]:
    """Return who lost a check, in groups."""
    found: dict[tuple[str, Outcome], list[Loss]] = {}
    for key, report in snapshot.reports.items():
        if key[1] != week or report.by_hand:
            continue
        for one in report.checks:
            if one.id == check and one.outcome not in WAITING:
                loss = Loss(key, report.student, snapshot.attempts.get(key, 0), one)
                found.setdefault((reason(one), one.outcome), []).append(loss)
    groups = [
        Group(why, outcome, tuple(sorted(losses, key=lambda loss: by_name(loss.student))))
        for (why, outcome), losses in found.items()
    ]
    return sorted(groups, key=lambda group: (group.outcome is Outcome.SKIPPED, -len(group.losses), group.reason))


def lines_of(snapshot: Snapshot, loss: Loss) -> Sequence[Excerpt]:
    """Return the student's lines that a lost check names."""
    report = snapshot.reports.get(loss.key)
    if report is None or not report.submission:
        return ()
    sources = snapshot.sources(report.submission)
    return excerpts(loss.check, {path: python_lines(text) for path, text in sources.items()})
