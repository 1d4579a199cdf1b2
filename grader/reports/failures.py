"""Finds what goes wrong in a class: the commonest reasons, what hidden checks say, missing modules, slow checks."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from grader.reports.figures import by_name
from grader.results import CheckResult, Outcome, Report, task_order

MOST = 8
MOST_MESSAGES = 12  # of one hidden check that are shown whole: nobody reads hundreds
_VALUES = re.compile(r"; (expected|got) .*")
_LACKS = re.compile(r"(?:^|\s)([\w./-]{1,80}\.py) is missing from the submission\b", re.MULTILINE)
_WAITING = (Outcome.PASSED, Outcome.TODO, Outcome.SKIPPED)  # nothing is wrong there, or nobody knows yet


@dataclass(frozen=True)
class CommonFailure:
    """A reason why checks of a task failed, with the points that it cost and the students' names."""

    task: str
    reason: str
    points: int
    students: tuple[str, ...]


@dataclass(frozen=True)
class HiddenFinding:
    """A hidden check that did not pass: each whole message, which no student gets to read, with who it concerns.

    `rest` are the students of rarer messages, beyond the `MOST_MESSAGES` that are shown.
    """

    task: str
    title: str
    messages: tuple[tuple[str, tuple[str, ...]], ...]
    rest: tuple[str, ...] = ()

    @property
    def students(self) -> int:
        """How many students it concerns."""
        return len({name for _, names in self.messages for name in names} | set(self.rest))


@dataclass(frozen=True)
class Slow:
    """A check and its mean time, in seconds."""

    task: str
    title: str
    seconds: float


def commonest_failures(reports: Iterable[Report], most: int = MOST) -> list[CommonFailure]:
    """Return the commonest reasons why checks fail, ties by points lost; waiting or unstarted checks do not count."""
    students: dict[tuple[str, str], set[str]] = {}
    points: Counter[tuple[str, str]] = Counter()
    for report in reports:
        for check in report.checks if report.counts else ():
            if check.outcome not in (*_WAITING, Outcome.BROKEN):
                key = check.task, reason(check)
                students.setdefault(key, set()).add(report.student)
                points[key] += check.max_points
    failures = [CommonFailure(*key, points[key], _ordered(names)) for key, names in students.items()]
    failures.sort(key=lambda f: (-len(f.students), -f.points, task_order(f.task), f.reason))
    return failures[:most]


def hidden_findings(reports: Iterable[Report], most: int = MOST_MESSAGES) -> list[HiddenFinding]:
    """Return what hidden checks say, the commonest message first; waiting or unstarted checks do not count."""
    found: dict[tuple[str, str], dict[str, set[str]]] = {}
    for report in reports:
        for check in report.checks if report.counts else ():
            if check.hidden and check.outcome not in _WAITING:
                messages = found.setdefault((check.task, check.title), {})
                messages.setdefault(check.message or str(check.outcome), set()).add(report.student)
    findings = [_finding(*check, messages, most) for check, messages in found.items()]
    return sorted(findings, key=lambda finding: (task_order(finding.task), finding.title))


def _finding(task: str, title: str, messages: dict[str, set[str]], most: int) -> HiddenFinding:
    pairs = sorted(messages.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    rest = _ordered({name for _, names in pairs[most:] for name in names})
    return HiddenFinding(task, title, tuple((text, _ordered(names)) for text, names in pairs[:most]), rest)


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=by_name))


def reason(check: CheckResult) -> str:
    """Return the first line of a check's message, which says what is wrong and why, without a student's own values."""
    first = next(iter(check.message.splitlines()), "")
    says = _VALUES.sub("", first) if check.outcome is Outcome.FAILED else first.partition(": ")[0]
    return says or str(check.outcome)


def lacking(report: Report) -> list[str]:
    """Return the files of the week's modules that a submission lacks, as far as checks have asked for them."""
    errors = (check.message for check in report.checks if check.outcome is Outcome.ERROR)
    return sorted({file for message in errors for file in _LACKS.findall(message)})


def slowest_checks(reports: Iterable[Report], most: int = 5) -> list[Slow]:
    """Return the checks with the longest mean time."""
    times: dict[tuple[str, str], list[float]] = {}
    for report in reports:
        for check in report.checks if report.counts else ():
            times.setdefault((check.task, check.title), []).append(check.seconds)
    slow = [Slow(*key, round(statistics.fmean(seconds), 1)) for key, seconds in times.items()]
    return sorted(slow, key=lambda check: (-check.seconds, task_order(check.task), check.title))[:most]
