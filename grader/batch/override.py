"""Decides by hand about a task or a week: the gradebook notes who decided what and why, and the report says so."""

from __future__ import annotations

from pathlib import Path

from grader.batch.deciding.desk import Change, Desk
from grader.batch.deciding.words import check_reason, read_decision
from grader.errors import UsageError
from grader.gradebook import open_book


def override_task(
    out: Path, student: str, week: str, task: str, points: str, why: str = "", who: str | None = None,
    alone: bool = False,
) -> list[Change]:  # fmt: skip
    """Record what a person decided, and write the pages that show it; return what became of each student's week.

    `points` is what `read_decision` reads. It holds for all who handed in the same work with the student, unless that
    is `alone`. `UsageError` where the gradebook has no such student, week or task.
    """
    reason = check_reason(why)
    with open_book(out) as book:
        desk = Desk(book, out, who)
        people = desk.teams.find(student)
        meant = read_decision(desk.scale(people[0], week), task, points)
        if not reason and desk.scale(people[0], week).needs_reason(meant):
            raise UsageError("--why: give a reason; the student reads it")
        reached = desk.reached(people, week, meant, alone)
        for person in reached:
            read_decision(desk.scale(person, week), task, points)
        return desk.decide([desk.decision(person.name, week, meant, reason) for person in reached])
