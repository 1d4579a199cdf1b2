"""Comments on and corrects a check for everybody who lost it in the same way, in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.desk.acting.comments import Place, comment_within
from grader.desk.acting.conflict import Conflict
from grader.desk.acting.decisions import Wish, decide_within, person_of, reached
from grader.desk.desk import Desk, Done
from grader.errors import UsageError
from grader.gradebook.together.actions import Changing
from grader.gradebook.together.comments import About
from grader.people.person import Person
from grader.reports.words import counted, first_of
from grader.results import CheckResult, Report
from grader.results.points import total

GIVE_BACK = "back"
MOST_NAMED = 10


@dataclass(frozen=True)
class Correction:
    """What is done about a check: a comment, and points.

    `points` is a task's new points, `GIVE_BACK` for those of the check, or empty.
    """

    week: str
    check: str
    text: str
    points: str


def for_group(desk: Desk, who: str, members: Sequence[tuple[int, str]], wanted: Correction) -> Done:
    """Comment on a check and correct its task for several students, each with the revision that was seen.

    All of it happens, or nothing: `Conflict` where a work was graded again since, or somebody has decided about the
    task. Whoever has the check's points back already does not get them twice, and is named.
    """
    if not members:
        raise UsageError("choose at least one student")
    if not wanted.text and not wanted.points:
        raise UsageError("write a comment, or say what points to give")
    with desk.book.changing(who) as change:
        left_out = _for_all(desk, change, members, wanted)
        names = first_of(left_out, MOST_NAMED)
        if len(left_out) == len(members):
            raise UsageError(f"nobody is left: these points were given back already to {names}")
        said = f"{wanted.week}: {counted(len(members) - len(left_out), 'student')}, {'comment' if wanted.text else ''}"
        said += f"{' and ' if wanted.text and wanted.points else ''}{'points' if wanted.points else ''}"
        said += f"; left out, as they have these points back already: {names}" if left_out else ""
        change.note(said)
    return desk.done(change, said)


def _for_all(desk: Desk, change: Changing, members: Sequence[tuple[int, str]], wanted: Correction) -> list[str]:
    """Do it for each; return the names of those who have the check's points back already."""
    seen: set[int] = set()  # of a team, one speaks for all
    left_out = []
    for key, revision in members:
        person = person_of(desk, key)
        team = reached(desk, person, wanted.week)
        if revision.partition("-")[0] != ".".join(change.work(one.key, wanted.week) for one in team):
            raise _outdated(person, wanted.week, "the work was graded again since, or has another answer or group")
        check = _check_of(desk, person, wanted)
        if (
            wanted.points == GIVE_BACK
            and check.id in change.given_back(key, wanted.week, check.task)
            and key not in seen
        ):
            left_out.append(person.name)
            continue
        if key in seen:
            continue
        seen |= {one.key for one in team}
        if wanted.text:
            comment_within(desk, change, Place(key, wanted.week, About.CHECK, check.id), wanted.text)
        if wanted.points:
            _correct(desk, change, person, check, revision, wanted)
    return left_out


def _correct(
    desk: Desk, change: Changing, person: Person, check: CheckResult, revision: str, wanted: Correction
) -> None:
    gives = check.id if wanted.points == GIVE_BACK else ""
    report = desk.snapshot.reports[person.key, wanted.week]
    words = str(_with(report, check)) if gives else wanted.points
    why = wanted.text or f"{check.title}: corrected"
    try:
        decide_within(
            desk, change, Wish(person.key, wanted.week, check.task, words, why, revision), gives, bool(wanted.text)
        )
    except Conflict as error:
        raise _outdated(person, wanted.week, error.theirs) from None


def _check_of(desk: Desk, person: Person, wanted: Correction) -> CheckResult:
    report = desk.snapshot.report((person.key, wanted.week))
    found = next((one for one in report.checks if one.id == wanted.check), None) if report else None
    if found is None:
        raise UsageError(f"{person.name} has no such check; load the page again")
    return found


def _outdated(person: Person, week: str, theirs: str) -> Conflict:
    """Return what is said of a page that is out of date: it shows many, so that nothing is sent again unseen."""
    return Conflict(f"{person.name}, {week}", theirs, "as the page has shown it", {})


def _with(report: Report, check: CheckResult) -> float:
    """Return the points of a check's task with those of the check."""
    score = next(one for one in report.tasks() if one.task == check.task)
    changed = total(line.points for line in report.adjustments if line.task == check.task)
    return min(total((score.points, changed, check.max_points, -check.points)), score.max_points)
