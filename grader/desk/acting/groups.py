"""Comments on and corrects a check for everybody who lost it in the same way, in one step."""

from __future__ import annotations

from collections.abc import Sequence

from grader.desk.acting.comments import Place, comment_within
from grader.desk.acting.conflict import Conflict
from grader.desk.acting.decisions import Wish, decide_within, person_of, reached, revisions
from grader.desk.desk import Desk
from grader.errors import UsageError
from grader.gradebook.together.actions import Changing
from grader.gradebook.together.comments import About
from grader.people.person import Person
from grader.results import CheckResult, Report

GIVE_BACK = "back"


def for_group(
    desk: Desk, who: str, week: str, check: str, members: Sequence[tuple[int, int]], text: str, points: str
) -> str:
    """Comment on a check and correct its task for several students, each with the attempt that was seen.

    `points` is a task's new points, `GIVE_BACK` for those of the check, or empty. All of it happens, or nothing:
    `Conflict` where a work was graded again since, or the gradebook holds other decisions than the page has shown.
    """
    if not members:
        raise UsageError("choose at least one student")
    if not text and not points:
        raise UsageError("write a comment, or say what points to give")
    with desk.book.changing(who) as change:
        seen: set[int] = set()  # of a team, one speaks for all
        for key, attempt in members:
            person = person_of(desk, key)
            if change.attempt(key, week) != attempt:
                raise Conflict(
                    f"{person.name}, {week}", "the work was graded again since", "as the page has shown it", {}
                )
            if key in seen:
                continue
            team = reached(desk, person, week)
            seen |= {one.key for one in team}
            if text:
                comment_within(desk, change, Place(key, week, About.CHECK, check), text)
            if points:
                _correct(desk, person, team, week, check, text, points, change)
        said = f"{week}: {len(members)} students, {'comment' if text else ''}{' and ' if text and points else ''}"
        said += "points" if points else ""
        change.note(said)
    desk.snapshot.touch()
    return said


def _correct(
    desk: Desk, person: Person, team: Sequence[Person], week: str, check: str, text: str, points: str, change: Changing
) -> None:  # fmt: skip
    report = desk.snapshot.report((person.key, week))
    found = next((one for one in report.checks if one.id == check), None) if report else None
    if report is None or found is None:
        raise UsageError(f"{person.name} has no such check; load the page again")
    words = str(_with(report, found)) if points == GIVE_BACK else points
    own = revisions(desk, team, week)
    wish = Wish(person.key, week, found.task, words, text or f"{found.title}: corrected", own.get(found.task, own[""]))
    decide_within(desk, change, wish)


def _with(report: Report, check: CheckResult) -> int:
    """Return the points of a check's task with those of the check."""
    score = next(one for one in report.tasks() if one.task == check.task)
    changed = sum(line.points for line in report.adjustments if line.task == check.task)
    return min(score.points + changed + check.max_points - check.points, score.max_points)
