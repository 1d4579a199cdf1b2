"""Runs the command `people`: lists who is in the class, and mends who is who."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from grader.batch.people import forget_person, merge_people, rename_person, split_person
from grader.cli.console import make_console
from grader.cli.options import command, out_option
from grader.errors import UsageError
from grader.escape import terminal
from grader.gradebook import open_book
from grader.people.matching import questions
from grader.people.person import Person
from grader.reports.terminal import add_row, grid

_ACTIONS = {"list": 0, "merge": 2, "split": 1, "rename": 2, "forget": 1}  # with the number of words that each takes


@command('people merge "John Smith (2002)" jsmith1@uni.edu')
@click.argument("action", type=click.Choice(list(_ACTIONS)), default="list")
@click.argument("words", nargs=-1)
@click.option("--force", is_flag=True, help="forget: also somebody whose entry the class folder still holds.")
@out_option("reports", "Where `batch` wrote the gradebook.")
def people(action: str, words: tuple[str, ...], force: bool, out: Path) -> int:
    """List who is in the class, and mend who is who.

    \b
    list               everybody, with ids, and what is not clear
    merge WHO INTO     make one person of two: no grade is lost, and INTO's name stays
    split WHO          undo the last merge into WHO; what was graded since stays
    rename WHO NAME    give a person another name, which no roster changes again
    forget WHO         delete a person with all grades and reports

    WHO is an id, an e-mail or a name, in any letter case, with accents or without.
    """
    if len(words) != _ACTIONS[action]:
        raise UsageError(
            f"people {action} takes {_ACTIONS[action]} names, not {len(words)}; quote a name of several words"
        )
    if action == "list":
        with open_book(out) as book:
            _print_people(book.people())
        return 0
    if action == "merge":
        lines = merge_people(out, words[0], words[1])
    elif action == "split":
        lines = split_person(out, words[0])
    elif action == "rename":
        lines = rename_person(out, words[0], words[1])
    else:
        lines = forget_person(out, words[0], force)
    for line in lines:
        print(terminal(line))
    return 0


def _print_people(people: Sequence[Person]) -> None:
    table = grid("left", "left", "left", "left", "left", "left")
    add_row(table, *((name, "bold") for name in ("Student", "id", "e-mail", "section", "group", "")))
    has_roster = any(person.listed for person in people)
    unclear = {person.name: others for person, others in questions(people)}
    for person in people:
        remark = "no longer in the folder" if person.is_gone else ""
        remark = remark or ("not on the roster" if has_roster and not person.listed else "")
        if person.name in unclear:
            remark = f"may be {' or '.join(other.name for other in unclear[person.name])}"
        add_row(table, person.name, person.id, person.email, person.section, person.group, remark)
    make_console().print(table)
