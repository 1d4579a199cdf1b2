"""Mends who is who in a gradebook, where no rule could tell: joins two people or parts them, renames, forgets."""

from __future__ import annotations

from pathlib import Path

from grader.batch.pages import (
    join_reports,
    outdate_reports,
    remove_reports,
    renew_reports,
    write_class,
    write_missing_reports,
)
from grader.course import week_order
from grader.errors import UsageError
from grader.escape import terminal
from grader.gradebook import Gradebook, open_book
from grader.language import decimal
from grader.people.identity import NAME
from grader.people.person import HAND, Person
from grader.people.register import Register
from grader.people.resolve import find_person
from grader.results import Report


def merge_people(out: Path, who: str, into: str) -> list[str]:
    """Make one person of two, who keeps the second one's name; return what changed, a line each.

    All attempts and overrides are kept. `UsageError` where the two cannot be one person.
    """
    with open_book(out) as book:
        register = Register(book.people())
        person, other = find_person(register.people, who), find_person(register.people, into)
        _refuse(person, other)
        before = _scores(book, person), _scores(book, other)
        name, kept = person.name, other.name
        register.absorb(person, other)
        _save(book, out, register, other)
        after = _scores(book, other)
        lines = [f"{name} is now {other.name}" + (f", who was {kept}" if other.name != kept else "")]
        for week in sorted({*before[0], *before[1]}, key=week_order):
            was = [
                f"{scores[week]} of {one}" for scores, one in zip(before, (name, kept), strict=True) if week in scores
            ]
            lines.append(f"{other.name} {week}: {after.get(week, 'left out')} (was {' and '.join(was)})")
    return lines


def split_person(out: Path, who: str) -> list[str]:
    """Undo the last merge into a person; return who is who now, a line each.

    What was graded and decided since the merge stays with the person. `UsageError` where there was no merge.
    """
    with open_book(out) as book:
        person = find_person(book.people(), who)
        key = book.split(person)
        if not key:
            raise UsageError(terminal(f"nobody was merged into {person.name}; nothing is changed"))
        register = Register(book.people())
        both = [one for one in register.people if one.key in (key, person.key)]
        register.name_all()
        book.save_people(register.people)
        renew_reports(book, out, both)
        write_class(book, out)
        lines = []
        for one in sorted(both, key=lambda one: one.key != person.key):
            scores = ", ".join(f"{week} {decimal(score)}" for week, score in _scores(book, one).items())
            lines.append(f"{one.name}: {scores or 'no result'}")
    return [f"{both[0].name} and {both[1].name} are two people again", *lines]


def rename_person(out: Path, who: str, name: str) -> list[str]:
    """Give a person another name, which no roster and no entry changes again; return what changed, a line each."""
    name = " ".join(name.split())
    if not name:
        raise UsageError("the new name is empty; say how the student is called")
    with open_book(out) as book:
        register = Register(book.people())
        person = find_person(register.people, who)
        person.called, person.named_by = name, HAND
        person.learn([(NAME, name)])
        renamed = _save(book, out, register, person)
    return [f"{before} is now {one.name}" for one, before in renamed] or [f"{person.name} is called so already"]


def forget_person(out: Path, who: str, force: bool = False) -> list[str]:
    """Delete a person with all results, overrides and reports; return what was deleted, a line each.

    `UsageError` where the class folder holds the entry still, unless it is to be forgotten all the same.
    """
    with open_book(out) as book:
        person = find_person(book.people(), who)
        if person.handed and not force:
            raise UsageError(
                terminal(
                    f"the class folder holds an entry of {person.name}, so the next run would bring back the grade; "
                )
                + "remove the entry and run `batch` first, or add --force"
            )
        lines = [f"forgot {person.name}: {report.week}, {_points(report)}" for report in book.latest([person.name])]
        book.forget(person)
        remove_reports(out, person)
        write_class(book, out)
    return lines or [f"forgot {person.name}"]


def _refuse(person: Person, other: Person) -> None:
    if person is other:
        raise UsageError(terminal(f"both words mean {person.name}; name two people"))
    if person.listed and other.listed:
        raise UsageError(
            terminal(f"the roster has both {person.name} and {other.name}; keep one line in it, then run again")
        )
    if both := sorted(person.handed & other.handed, key=week_order):
        weeks = ", ".join(both)
        raise UsageError(
            terminal(
                f"the class folder holds an entry of {person.name} and one of {other.name} for {weeks}; remove one"
            )
        )


def _save(book: Gradebook, out: Path, register: Register, person: Person) -> list[tuple[Person, str]]:
    """Record who is who now, and bring the pages in step."""
    renamed = register.name_all()
    outdate_reports(out, renamed)
    book.save_people(register.people, register.merged)
    join_reports(book, out, register.merged)
    write_missing_reports(book, out, [one.name for one, _ in renamed] or [person.name])
    write_class(book, out)
    return renamed


def _points(report: Report) -> str:
    return decimal(report.grade) if report.excused else f"{decimal(report.grade)} points"


def _scores(book: Gradebook, person: Person) -> dict[str, str]:
    return {report.week: report.grade for report in book.latest([person.name])}
