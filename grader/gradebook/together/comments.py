"""Keeps what people wrote about a line, a check, a task or a whole week: comments that the student reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grader.gradebook.database import texts
from grader.gradebook.deliveries import Deliveries
from grader.results import Remark, Report, task_order

COLUMNS = "id, person, week, about, target, line, quote, submission, text, who, at, edition, gone"
_COMMENTS = f"SELECT name, {', '.join(f'comments.{one}' for one in COLUMNS.split(', ')[:-1])} FROM comments"
_COMMENTS += " JOIN people ON people.id = comments.person WHERE NOT gone"


class About(StrEnum):
    """What a comment is on."""

    LINE = "line"
    CHECK = "check"
    TASK = "task"
    WEEK = "week"


@dataclass(frozen=True)
class Comment:
    """One comment. `target` is a file, a check's id or a task, and empty for the week; `quote` is the line's text.

    `edition` is another one, and greater, with each change, so that nobody changes what they have not seen.
    """

    student: str
    id: int
    person: int
    week: str
    about: About
    target: str
    line: int
    quote: str
    submission: str
    text: str
    who: str
    at: str
    edition: int

    def remark(self, report: Report) -> Remark:
        """Return the comment as the report has it."""
        by = f"{self.who}, {self.at[:10]}"
        if self.about is About.LINE:
            return Remark(self.text, by, file=self.target, line=self.line, code=self.quote)
        if self.about is About.CHECK:
            check = next((one for one in report.checks if one.id == self.target), None)
            return Remark(self.text, by, check.task if check else "", check=check.title if check else self.target)
        return Remark(self.text, by, self.target)


Commented = dict[tuple[str, ...], list[Comment]]  # by student and week


class Comments(Deliveries):
    """What people wrote."""

    def comments(self, *key: str) -> Commented:
        """Return the comments that hold, for everybody or for one student's week: week, tasks, checks, then lines."""
        rows = self.rows(f"{_COMMENTS} {'AND name = ? AND week = ?' if key else ''}", *texts(*key))
        found: Commented = {}
        for row in rows:
            one = _comment(*row)
            found.setdefault((one.student, one.week), []).append(one)
        for own in found.values():
            own.sort(key=_order)
        return found


def _comment(
    student: str, number: int, person: int, week: str, about: str, target: str, line: int, quote: str,
    submission: str, text: str, who: str, at: str, edition: int,
) -> Comment:  # fmt: skip
    return Comment(student, number, person, week, About(about), target, line, quote, submission, text, who, at, edition)


def _order(one: Comment) -> tuple[int, tuple[int, ...], str, int, int]:
    place = (About.WEEK, About.TASK, About.CHECK, About.LINE).index(one.about)
    task = task_order(one.target) if one.about is About.TASK else ()
    return place, task, one.target, one.line, one.id
