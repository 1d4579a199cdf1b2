"""Writes comments for a student and all who share the work; changes and removes them."""

from __future__ import annotations

from dataclasses import dataclass

from grader.batch.deciding.words import check_reason
from grader.desk.acting.conflict import Conflict
from grader.desk.acting.decisions import person_of, reached
from grader.desk.desk import Desk, Done
from grader.desk.model.code import lines_of as python_lines
from grader.errors import UsageError
from grader.gradebook.together.actions import Changing, Row
from grader.gradebook.together.comments import About
from grader.people.person import Person

LONGEST_QUOTE = 200


@dataclass(frozen=True)
class Place:
    """What a comment is on."""

    person: int
    week: str
    about: About
    target: str = ""
    line: int = 0


def about_of(text: str) -> About:
    """Read what a comment is on."""
    try:
        return About(text)
    except ValueError:
        raise UsageError("a comment is on a line, a check, a task or the week") from None


def comment(desk: Desk, who: str, place: Place, text: str, alone: bool = False) -> Done:
    """Write a comment, for all who share the work or for one `alone`; return a line that says what was done."""
    with desk.book.changing(who) as change:
        said = comment_within(desk, change, place, text, alone)
    return desk.done(change, said)


def comment_within(desk: Desk, change: Changing, place: Place, text: str, alone: bool = False) -> str:
    """Write a comment as a part of a change."""
    person = person_of(desk, place.person)
    words = check_reason(text)
    if not words:
        raise UsageError("the comment is empty; write something, or remove it")
    task, quote, submission = _checked(desk, person, place)
    said = f"{person.name}, {place.week}: commented on {_named(place)}"
    same = {"week": place.week, "about": str(place.about), "target": place.target, "line": place.line,
            "quote": quote, "text": words, "gone": 0}  # fmt: skip
    missing = [
        one for one in reached(desk, person, place.week, alone) if not change.has("comments", person=one.key, **same)
    ]
    if not missing:
        return f"{said}: it is there already"
    for one in missing:
        change.put(
            "comments",
            {
                "person": one.key, "week": place.week, "about": str(place.about), "target": place.target,
                "line": place.line, "quote": quote, "submission": submission, "text": words, "who": change.who,
                "at": change.at,
            },
        )  # fmt: skip
    change.use_phrase(place.week, task, words)
    change.note(said, person.key, place.week)
    return said


def change_comment(desk: Desk, who: str, number: int, edition: int, text: str) -> Done:
    """Change a comment, or remove it where the text is empty. `Conflict` where somebody else was quicker."""
    words = check_reason(text)
    with desk.book.changing(who) as change:
        row = change.row("comments", id=number)
        if row is None:
            raise UsageError("there is no such comment; its student may have been forgotten")
        if row["edition"] != edition:
            raise _conflict(desk, row, words)
        for one in _siblings(desk, row):
            edited = {"text": words or one["text"], "gone": 0 if words else 1}
            more = {"who": who, "at": change.at} if words else {}
            change.put("comments", {**one, **edited, **more})
        said = f"{person_of(desk, row['person']).name}, {row['week']}: comment {'changed' if words else 'removed'}"
        change.note(said, row["person"], row["week"])
    return desk.done(change, said)


def _checked(desk: Desk, person: Person, place: Place) -> tuple[str, str, str]:
    """Return the task that a comment belongs to, the line it quotes, and the work; `UsageError` where there is none."""
    report = desk.snapshot.report((person.key, place.week))
    if report is None and (place.about is not About.WEEK or place.week not in desk.book.known_weeks()):
        raise UsageError(f"{person.name} has no result of {place.week}")
    submission = report.submission if report else ""
    if place.about is About.LINE:
        lines = python_lines(desk.snapshot.sources(submission).get(place.target, ""))
        if not 0 < place.line <= len(lines):
            raise UsageError(
                f"there is no line {place.line} in {place.target}; the work may have changed: load it again"
            )
        return "", lines[place.line - 1][:LONGEST_QUOTE], submission
    if place.about is About.CHECK:
        found = next((check for check in report.checks if check.id == place.target), None) if report else None
        if found is None:
            raise UsageError("there is no such check; load the page again")
        return found.task, "", submission
    parts = {part.name for part in report.manual} if report else set()
    tasks = parts | {check.task for check in report.checks} if report else parts
    if place.about is About.TASK and place.target not in tasks:
        raise UsageError(f"{place.week} has no task {place.target!r}")
    return place.target, "", submission


def _named(place: Place) -> str:
    if place.about is About.LINE:
        return f"{place.target}, line {place.line}"
    return {About.WEEK: "the week", About.TASK: f"task {place.target}"}.get(place.about, "a check")


def _siblings(desk: Desk, row: Row) -> list[Row]:
    """Return the same comment of all who share the work."""
    columns = (
        "person",
        "week",
        "about",
        "target",
        "line",
        "quote",
        "submission",
        "text",
        "who",
        "at",
        "edition",
        "gone",
    )
    same = ("week", "about", "target", "line", "text", "who", "at", "edition")  # written or changed in one step
    where = " AND ".join(f"{name} = ?" for name in same)
    query = f"SELECT id, {', '.join(columns)} FROM comments WHERE {where}"  # noqa: S608 - names of columns
    rows = desk.book.rows(query, *(row[name] for name in same))
    found = [dict(zip(("id", *columns), one, strict=True)) for one in rows]
    mates = {one.key for one in reached(desk, person_of(desk, row["person"]), row["week"])}
    return [one for one in found if one["person"] in mates]


def _conflict(desk: Desk, row: Row, words: str) -> Conflict:
    person = person_of(desk, row["person"])
    theirs = f"removed by {row['who']}" if row["gone"] else f"{row['text']} ({row['who']}, {row['at'][:10]})"
    fields = {"id": str(row["id"]), "edition": str(row["edition"]), "text": words}
    return Conflict(f"{person.name}, {row['week']}, a comment", theirs, words or "remove it", fields)
