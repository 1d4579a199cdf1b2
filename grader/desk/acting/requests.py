"""Keeps students' requests to look at something again: entered or from a table, and what became of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from grader.batch.deciding.words import check_reason
from grader.desk.acting.conflict import Conflict
from grader.desk.acting.decisions import person_of, scale_of
from grader.desk.desk import Desk, Done
from grader.errors import UsageError
from grader.gradebook.together.actions import Changing
from grader.gradebook.together.desk import RequestState
from grader.people.person import Person
from grader.results import WHOLE_WEEK

MOST_SAID = 10  # of what is wrong in a table
Asked = tuple[int, str, str, str]  # a person's key, a week, a task, and what is asked
_COLUMNS = ("student", "week", "task", "text")
# What columns are called in tables that forms make.
_NAMES = {
    "name": "student", "id": "student", "email": "student", "e-mail": "student", "question": "text", "request": "text",
    "comment": "text", "reason": "text", "assignment": "week",
}  # fmt: skip


def ask(desk: Desk, who: str, words: str, week: str, task: str, text: str) -> Done:
    """Enter one request; `words` name the student."""
    with desk.book.changing(who) as change:
        said = _ask(desk, change, _found(desk, words), week, task, text)
    return desk.done(change, said)


def import_table(desk: Desk, who: str, table: str) -> Done:
    """Enter the requests of a CSV with the columns student, week, task and text: all lines, or none."""
    rows, wrong = list(_rows(table)), []
    known: set[Asked] = {(one.person, one.week, one.task, one.text) for one in desk.snapshot.requests}
    with desk.book.changing(who) as change:
        new = 0
        for number, row in rows:
            try:
                person = _found(desk, row.get("student", ""))
                asked = _asked(desk, person, row.get("week", ""), row.get("task", ""), row.get("text", ""))
                if asked not in known:
                    known.add(asked)
                    new += 1
                    _enter(change, person, asked)
            except UsageError as error:
                wrong.append(f"line {number}: {error}")
        if wrong:
            more = [f"and {len(wrong) - MOST_SAID} more"] if len(wrong) > MOST_SAID else []
            raise UsageError("\n".join([*wrong[:MOST_SAID], *more, "nothing was imported"]))
        change.note(f"{new} requests imported")
    return desk.done(
        change, f"{new} requests imported" + (f", {len(rows) - new} were there already" if len(rows) > new else "")
    )


def answer(desk: Desk, who: str, number: int, edition: int, state: str, text: str) -> Done:
    """Answer a request, or open it again. `Conflict` where somebody else was quicker."""
    if state not in list(RequestState):
        raise UsageError(f"a request is one of {', '.join(RequestState)}")
    words = check_reason(text)
    with desk.book.changing(who) as change:
        row = change.row("requests", id=number)
        if row is None:
            raise UsageError("there is no such request; its student may have been forgotten")
        person = person_of(desk, row["person"])
        if row["edition"] != edition:
            theirs = f"{row['state']}: {row['answer']} ({row['who']}, {row['at'][:10]})"
            fields = {"id": str(number), "edition": str(row["edition"]), "state": state, "text": words}
            raise Conflict(f"{person.name}, {row['week']}, a request", theirs, f"{state}: {words}", fields)
        change.put(
            "requests",
            {**row, "state": state, "answer": words, "who": who, "at": change.at},
        )
        said = f"{person.name}, {row['week']}: request {state}"
        change.note(said, person.key, row["week"])
    return desk.done(change, said)


def _ask(desk: Desk, change: Changing, person: Person, week: str, task: str, text: str) -> str:
    return _enter(change, person, _asked(desk, person, week, task, text))


def _asked(desk: Desk, person: Person, week: str, task: str, text: str) -> Asked:
    """Return a request as it is kept, however its week, its task and its lines were written."""
    words = check_reason(text)
    if not words:
        raise UsageError("say what is asked for")
    own = _week(desk, week)
    scale = scale_of(desk, person, own)
    name = scale.task(task) if task else ""
    return person.key, own, "" if name in WHOLE_WEEK else name, words


def _week(desk: Desk, text: str) -> str:
    """Return the week that is meant: `Week 5` and `5` are week5."""
    known = desk.book.known_weeks()
    key = "".join(text.casefold().split())
    names = {form: week for week in known for form in (week.casefold().removeprefix("week"), week.casefold())}
    return names.get(key, text.strip())


def _enter(change: Changing, person: Person, asked: Asked) -> str:
    key, week, task, text = asked
    row = {"person": key, "week": week, "task": task, "text": text}
    change.put("requests", {**row, "asked": change.at, "state": str(RequestState.OPEN)})
    said = f"{person.name}, {week}: request entered"
    change.note(said, key, week)
    return said


def _found(desk: Desk, words: str) -> Person:
    if not words.strip():
        raise UsageError("names no student")
    return desk.teams.find(words.strip())[0]


def _rows(table: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the lines of a table, by the names of its columns; of several that say the same the first counts."""
    dialect = ";" if table.partition("\n")[0].count(";") > table.partition("\n")[0].count(",") else ","
    lines = csv.reader(io.StringIO(table, newline=""), delimiter=dialect)
    try:
        header = [_column(name) for name in next(lines, [])]
        missing = [name for name in ("student", "week", "text") if name not in header]
        if missing:
            raise UsageError(f"line 1: there is no column {', no column '.join(missing)}; there may be a column task")
        for cells in lines:
            row: dict[str, str] = {}
            for name, cell in zip(header, cells, strict=False):
                row[name] = row.get(name) or cell.strip()
            if any(row.values()):
                yield lines.line_num, row
    except csv.Error as error:
        raise UsageError(f"line {lines.line_num}: {error}; this is no CSV") from None


def _column(name: str) -> str:
    text = name.strip().casefold()
    return text if text in _COLUMNS else _NAMES.get(text, text)
