"""Keeps a week's trials while its author edits, so that the next round grades only what the edit can change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grader.author.proof.trials import Subject, Trial
from grader.course import Assignment
from grader.course.check_digests import check_digests, unchanged
from grader.course.material import add_parts
from grader.results import CheckResult, Report

Digests = Mapping[str, str]


@dataclass
class Kept:
    """Holds the last report of each subject by its files, with the digests of the checks that it was graded by."""

    _reports: dict[str, tuple[Report, Digests]] = field(default_factory=dict)

    def round(self, assignment: Assignment) -> Round:
        """Begin to grade a week as it is now."""
        return Round(self._reports, check_digests(assignment))


@dataclass
class Round:
    """Knows what of each subject need not be graded again, and learns what has been."""

    _reports: dict[str, tuple[Report, Digests]]
    _digests: Digests

    def known(self, subjects: Sequence[Subject]) -> Iterator[Trial]:
        """Yield the trials that could only come out the same."""
        for subject in subjects:
            report, before = self._reports.get(_key(subject), (None, {}))
            if report is not None and before == self._digests and not report.broken:
                yield Trial(subject, report)

    def checks_of(self, subject: Subject) -> tuple[CheckResult, ...]:
        """Return the checks of a subject that need not run again."""
        report, before = self._reports.get(_key(subject), (None, {}))
        if report is None:
            return ()
        same = unchanged((check.id for check in report.checks), before, self._digests)
        return tuple(check for check in report.checks if check.id in same and not check.is_broken)

    def learn(self, trial: Trial) -> None:
        if trial.report is not None:
            self._reports[_key(trial.subject)] = (trial.report, self._digests)


def _key(subject: Subject) -> str:
    """Digest what is graded, and by which tasks: a mutant whose `tasks` are edited asks for other checks."""
    sha = hashlib.sha256()
    add_parts(sha, subject.key.encode(), repr(subject.tasks).encode())
    for name, content in sorted(subject.files.items()):
        add_parts(sha, name.encode("utf-8", "surrogatepass"), content)
    return sha.hexdigest()
