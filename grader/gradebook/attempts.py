"""Keeps attempts in the gradebook, and the problems of what could not be graded."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from grader.course import week_order
from grader.errors import GraderError
from grader.gradebook.by_hand import ByHand
from grader.gradebook.database import now, texts
from grader.results import CheckResult, Report

_SAME_WORK = """
SELECT id, assignment, broken FROM latest AS attempt
WHERE student = ? AND week = ? AND submission = ? AND grader = ? AND seed = ? AND NOT EXISTS (
    SELECT 1 FROM problems WHERE problems.person = attempt.person AND problems.week = attempt.week
)
"""

_PERSON = "(SELECT id FROM people WHERE name = ?)"

# A problem without a week counts as long as the class folder has anything of the person.
_PROBLEMS = """
SELECT name, week, message FROM problems JOIN people ON people.id = problems.person WHERE NOT EXISTS (
    SELECT 1 FROM entries WHERE entries.person = problems.person AND entries.week = coalesce(problems.week, '') AND gone
)
"""


@dataclass(frozen=True)
class ResultKey:
    """All that a result depends on: equal keys, equal results."""

    student: str
    week: str
    submission: str
    assignment: str
    grader: str
    seed: int

    @classmethod
    def of(cls, report: Report) -> ResultKey:
        return cls(report.student, report.week, report.submission, report.assignment, report.grader, report.seed)


@dataclass(frozen=True)
class Problem:
    """Something that could not be graded; `week` is None where it concerns a submission as a whole."""

    student: str
    week: str | None
    message: str


@dataclass(frozen=True)
class Attempt:
    """One time that a student's week was graded; `broken` is how many of our own checks crashed."""

    id: int
    assignment: str
    broken: int

    def answers(self, key: ResultKey) -> bool:
        """Tell whether it used the very same assignment, and is final: a result with broken checks is not."""
        return self.assignment == texts(key.assignment)[0] and not self.broken


class Attempts(ByHand):
    """What was graded, and what could not be."""

    def __init__(self, path: Path, copies: bool = True, shared: bool = False) -> None:
        self._weekless: set[str] = set()
        super().__init__(path, copies, shared)

    def find(self, key: ResultKey) -> Attempt | None:
        """Find the student's current attempt if it graded this very work, under any version of the assignment.

        Returns None also where there is a later problem with the same week: then grade it again.
        """
        row = self.rows(_SAME_WORK, *_same_work(key))
        return Attempt(*row[0]) if row else None

    def seed_of(self, student: str, week: str, submission: str) -> int | None:
        """Return the seed of the student's current attempt, if that graded this very work; else None."""
        query = "SELECT seed FROM latest WHERE student = ? AND week = ? AND submission = ?"
        rows = self.rows(query, *texts(student, week, submission))
        return int(rows[0][0]) if rows else None

    def report_of(self, attempt: Attempt) -> Report:
        """Read the whole report of an attempt, which takes time."""
        query = "SELECT attempts.id, name, report FROM attempts JOIN people ON people.id = person WHERE attempts.id = ?"
        return self._report(*self.rows(query, attempt.id)[0])

    def record(self, report: Report) -> None:
        """Make `report` the current result of its student's week, and earlier ones history.

        It clears that week's problem, and a problem without a week if that comes from an earlier run.
        """
        student, *key = texts(*astuple(ResultKey.of(report)))
        with self.transaction() as database:
            person = self.key_of(database, student)
            database.execute(
                "INSERT INTO attempts VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)",
                (person, *key, report.raw_score, report.max_score, len(report.broken), *texts(report.to_json()), now()),
            )
            database.execute("DELETE FROM problems WHERE person = ? AND week = ?", (person, key[0]))
            if report.student not in self._weekless:
                database.execute("DELETE FROM problems WHERE person = ? AND week IS NULL", (person,))

    def record_problem(self, student: str, week: str | None, message: str) -> None:
        """Record why a student's week could not be graded, in place of what was recorded before."""
        if week is None:
            self._weekless.add(student)
        name, why = texts(student, message)
        where = None if week is None else texts(week)[0]
        with self.transaction() as database:
            person = self.key_of(database, name)
            database.execute("DELETE FROM problems WHERE person = ? AND week IS ?", (person, where))
            database.execute("INSERT INTO problems VALUES (?, ?, ?)", (person, where, why))

    def clear_problems(self, students: Iterable[str]) -> None:
        """Delete these students' problems, because their submissions are about to be looked at again."""
        students = set(students)
        self._weekless -= students
        with self.transaction() as database:
            names = [texts(student) for student in students]
            database.executemany(f"DELETE FROM problems WHERE person = {_PERSON}", names)

    def current(self) -> list[Report]:
        """Return each student's latest result of each week, with decisions and lateness, by student, then week.

        Weeks that people alone have graded belong to it. Left out is what the class folder no longer holds.
        """
        return self._current(CheckResult.from_dict)

    def latest(self, students: Collection[str]) -> list[Report]:
        """Return what `current()` does for these students, and what the class folder no longer holds of them, too."""
        adjusted = self.adjuster()
        query = "SELECT id, student, report FROM latest WHERE student = ?"
        rows = [row for student in sorted(students) for row in self.rows(query, *texts(student))]
        names = {texts(student)[0] for student in students}
        by_hand = [report for report in self.reports_by_hand() if report.student in names]
        return [*(adjusted(self._report(*row)) for row in rows), *by_hand]

    def graded_weeks(self) -> list[tuple[str, str]]:
        """Return each student's week of which `current()` has a report."""
        return [(student, week) for student, week in self.rows("SELECT student, week FROM current")]

    def has_attempts(self) -> bool:
        """Tell whether anything was ever graded."""
        return bool(self.rows("SELECT 1 FROM attempts LIMIT 1"))

    def overview(self) -> list[Report]:
        """Return `current()` for the pages about the class, without what only a student's own page shows."""
        return self._current(CheckResult.brief_from_dict)

    def _current(self, check: Callable[..., CheckResult]) -> list[Report]:
        adjusted = self.adjuster()
        with self.errors():
            rows = self.execute("SELECT id, student, report FROM current")
            found = [adjusted(self._report(key, student, text, check)) for key, student, text in rows]
        found += self.reports_by_hand()
        return sorted(found, key=lambda report: (report.student, week_order(report.week)))

    def history(self, student: str, week: str) -> list[Report]:
        """Return every attempt at one week, the oldest first; the last one is the current one."""
        query = f"SELECT id, ?, report FROM attempts WHERE person = {_PERSON} AND week = ? ORDER BY id"
        return [self._report(*row) for row in self.rows(query, *texts(student, student, week))]

    def before(self, student: str, week: str) -> Report | None:
        """Return a week's result before its last attempt, or before its lateness changed if there is only one attempt.

        Overrides, and lateness that has not changed, are the current ones, so that nothing else differs.
        """
        query = (
            f"SELECT id, ?, report, late_before FROM attempts WHERE person = {_PERSON} AND week = ? "
            f"ORDER BY id DESC LIMIT 2"
        )
        rows = self.rows(query, *texts(student, student, week))
        late_before = next((late for *_, late in rows if late is not None), None)
        if not rows or (len(rows) == 1 and late_before is None):
            return None
        return self.adjusted_as(self._report(*rows[-1][:3]), late_before)

    def work(self) -> dict[str, set[tuple[str, str]]]:
        """Return the digests of what each student handed in last, by week."""
        found: dict[str, set[tuple[str, str]]] = {}
        for student, week, digest in self.rows("SELECT student, week, submission FROM latest"):
            found.setdefault(student, set()).add((week, digest))
        return found

    def problems(self) -> list[Problem]:
        """Return what could not be graded, sorted by student, then week.

        Left out is what is in the class folder no longer, and what people have decided instead.
        """
        found = self.all_problems()
        decided = {student for student, _ in self.decisions()}
        found = [one for one in found if texts(one.student)[0] not in decided or not self._is_settled(one)]
        return sorted(found, key=lambda problem: (problem.student, week_order(problem.week or "")))

    def all_problems(self) -> list[Problem]:
        """Return what could not be graded, whatever people have decided."""
        return [Problem(*row) for row in self.rows(_PROBLEMS)]

    def _is_settled(self, problem: Problem) -> bool:
        """Tell whether people have decided about all that a problem keeps from being graded."""
        reports = {report.week: report for report in self.latest([problem.student])}
        if problem.week is not None:
            return problem.week in reports and reports[problem.week].is_settled
        decided = any(report.is_settled for report in reports.values())
        weeks = {week for (week,) in self.rows("SELECT DISTINCT week FROM attempts")} | set(reports)
        return decided and all(week in reports and not reports[week].provisional for week in weeks)

    def _report(
        self, attempt: int, student: str, text: str, check: Callable[..., CheckResult] = CheckResult.from_dict
    ) -> Report:
        try:
            report = Report.from_dict(json.loads(text), check)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GraderError(
                f"{self.path}: attempt {attempt} is damaged; move the file away and grade again"
            ) from error
        # The student's name may have changed since.
        return report if texts(report.student)[0] == student else replace(report, student=student)


def _same_work(key: ResultKey) -> tuple[str, ...]:
    return texts(key.student, key.week, key.submission, key.grader, key.seed)
