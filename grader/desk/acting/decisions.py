"""Decides about points, an excuse, a bonus or a rubric, for a student and all who share the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.batch.deciding.words import Meant, Scale, check_reason, read_decision, written
from grader.desk.acting.conflict import Conflict
from grader.desk.desk import Desk, Done
from grader.errors import UsageError
from grader.gradebook.together.actions import Changing
from grader.language import decimal
from grader.people.person import Person
from grader.results import Kind, Override


@dataclass(frozen=True)
class Wish:
    """What somebody wants to decide; `revision` says what they saw."""

    person: int
    week: str
    task: str
    points: str
    why: str
    revision: str
    alone: bool = False

    def fields(self, revision: str) -> dict[str, str]:
        """Return the form that wishes the same of what holds now."""
        return {
            "person": str(self.person), "week": self.week, "task": self.task, "points": self.points, "why": self.why,
            "revision": revision, "alone": "yes" if self.alone else "",
        }  # fmt: skip


def scale_of(desk: Desk, person: Person, week: str) -> Scale:
    """Return what there is to decide about a student's week."""
    if week not in desk.book.known_weeks() or week in person.gone:
        raise UsageError(f"there is no {week} of {person.name}")
    report = desk.snapshot.report((person.key, week))
    checks = () if report and report.checks else desk.book.checks_of(week)
    return Scale.of(week, report, checks, desk.book.manual_parts().get(week, ()))


def person_of(desk: Desk, key: int) -> Person:
    """Return a person by their key. `UsageError` where there is none."""
    person = desk.snapshot.person(key)
    if person is None:
        raise UsageError("there is no such student; they may have been merged with somebody")
    return person


def reached(desk: Desk, person: Person, week: str, alone: bool = False) -> list[Person]:
    """Return whom a decision about shared work concerns, the person first."""
    if alone:
        return [person]
    return [person, *(one for one in desk.teams.mates(person, week) if one.key != person.key)]


def shown_revisions(desk: Desk, week: str, task: str, people: Sequence[Person]) -> dict[int, str]:
    """Return for each of many people what a form about a task has to know, with those who share their work."""
    rows = desk.book.rows(
        "SELECT person, max(id) FROM overrides WHERE week = ? AND task = ? AND kind != 'comment' GROUP BY person",
        week, task,
    )  # fmt: skip
    held, found = dict(rows), {}
    for one in people:
        keys = [mate.key for mate in reached(desk, one, week)]
        works = [desk.snapshot.work((key, week)) for key in keys]
        found[one.key] = _revision(works, [held.get(key, 0) for key in keys])
    return found


def revisions(desk: Desk, people: Sequence[Person], week: str) -> dict[str, str]:
    """Return for each task about which something was decided what a form has to know; for all others, under ``."""
    keys = [one.key for one in people]
    marks = ", ".join("?" * len(keys))
    rows = desk.book.rows(
        f"SELECT task, person, max(id) FROM overrides WHERE week = ? AND person IN ({marks}) AND kind != 'comment' "  # noqa: S608 - question marks alone
        f"GROUP BY task, person", week, *keys,
    )  # fmt: skip
    works = [desk.snapshot.work((key, week)) for key in keys]
    tasks = {task: dict.fromkeys(keys, 0) for task, _, _ in rows} | {"": dict.fromkeys(keys, 0)}
    for task, person, held in rows:
        tasks[task][person] = held
    return {task: _revision(works, [held[key] for key in keys]) for task, held in tasks.items()}


def decide(desk: Desk, who: str, wish: Wish) -> Done:
    """Record a decision; return a line that says what was done. `Conflict` where somebody else was quicker."""
    with desk.book.changing(who) as change:
        said = decide_within(desk, change, wish)
    return desk.done(change, said)


def decide_within(desk: Desk, change: Changing, wish: Wish, gives: str = "", reuse: bool = True) -> str:
    """Record a decision as a part of a change; `gives` is a check whose points it gives back.

    Without `reuse` its reason is not offered to others, as nobody wrote it.
    """
    person = person_of(desk, wish.person)
    scale, reason = scale_of(desk, person, wish.week), check_reason(wish.why)
    meant = read_decision(scale, wish.task, wish.points)
    if not reason and scale.needs_reason(meant) and meant.points is not None:
        raise UsageError("give a reason; the student reads it")
    people = reached(desk, person, wish.week, wish.alone or meant.kind is Kind.EXCUSED)
    now_held = _held(change, reached(desk, person, wish.week), wish.week, meant)  # as forms know it, whomever they mean
    if wish.revision != now_held:
        raise _conflict(desk, change, wish, meant, now_held)
    for one in people:
        read_decision(scale_of(desk, one, wish.week), wish.task, wish.points)
        change.decide(one.key, _decision(change, one, wish.week, meant, reason), [gives] if gives else [])
    if reason and reuse:
        change.use_phrase(wish.week, meant.task, reason)
    said = f"{person.name}, {wish.week}: {_said(meant)}"
    change.note(said, person.key, wish.week)
    return said


def _held(change: Changing, people: Sequence[Person], week: str, meant: Meant) -> str:
    works = [change.work(one.key, week) for one in people]
    return _revision(works, [change.held(one.key, week, meant.task) for one in people])


def _revision(works: Sequence[str], held: Sequence[int]) -> str:
    return f"{'.'.join(works)}-{'.'.join(map(str, held))}"


def _decision(change: Changing, person: Person, week: str, meant: Meant, why: str) -> Override:
    return Override(
        person.name, week, meant.task, meant.points, why, change.who, change.at, meant.kind, meant.items, meant.most
    )


def _said(meant: Meant) -> str:
    text = _shown(meant)
    return f"{meant.task} taken back" if text == "back" else f"{meant.task} set to {text}"


def _shown(said: Meant | Override) -> str:
    """Write a decision as people read it."""
    text = written(said.points, said.kind, said.items, said.most)
    return text if said.items else decimal(text)


def _conflict(desk: Desk, change: Changing, wish: Wish, meant: Meant, revision: str) -> Conflict:
    desk.snapshot.refresh()
    person = person_of(desk, wish.person)
    held = [one for one in desk.book.all_decisions(person.name, wish.week) if one.slot == (meant.task, False)]
    theirs = "nothing is decided about it"
    if held and held[-1].points is not None:
        last = held[-1]
        theirs = f"{_shown(last)}: {last.reason}"
    elif held:
        theirs = f"taken back by {held[-1].by}"
    before = wish.revision.partition("-")[0]
    if before != revision.partition("-")[0]:
        report = desk.snapshot.report((person.key, wish.week))
        scores = {score.task: score for score in report.tasks()} if report else {}
        score = scores.get(meant.task)
        checks = f"; checks give {decimal(score.points)} of {decimal(score.max_points)} now" if score else ""
        theirs += f"; and the work was graded again since, or has another answer{checks}"
    yours = f"{wish.points}{f': {wish.why}' if wish.why else ''}"
    return Conflict(f"{person.name}, {wish.week}, {meant.task}", theirs, yours, wish.fields(revision))
