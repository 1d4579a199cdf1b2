"""Keeps students' requests to look at something again, and what became of them."""

from __future__ import annotations

import re

from grader.batch.deciding.words import Scale, check_reason
from grader.desk.acting.conflict import Conflict
from grader.desk.acting.decisions import person_of, scale_of
from grader.desk.desk import Desk, Done
from grader.errors import UsageError
from grader.gradebook.together.actions import Changing
from grader.gradebook.together.desk import RequestState
from grader.people.person import Person
from grader.results import WHOLE_WEEK

Asked = tuple[int, str, str, str]  # a person's key, a week, a task, and what is asked
TASK = re.compile(r"(?<![\d.])\d+\.\d+(?![\d.])")


def ask(desk: Desk, who: str, words: str, week: str, task: str, text: str) -> Done:
    """Enter one request; `words` name the student."""
    with desk.book.changing(who) as change:
        person = _found(desk, words)
        said = enter(change, person, asked_of(desk, person, week, task, text))
    return desk.done(change, said)


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


def asked_of(desk: Desk, person: Person, week: str, task: str, text: str) -> Asked:
    """Return a request as it is kept, however its week, its task and its lines were written."""
    words = check_reason(text)
    if not words:
        raise UsageError("say what is asked for")
    own = read_week(desk, week)
    scale = scale_of(desk, person, own)
    name = _task(scale, task) if task else ""
    return person.key, own, "" if name in WHOLE_WEEK else name, words


def read_week(desk: Desk, text: str) -> str:
    """Return the week that is meant: `Week 5`, `5` and `Homework 5` are week5."""
    known = desk.book.known_weeks()
    key = "".join(text.casefold().split())
    names = {form: week for week in known for form in (week.casefold().removeprefix("week"), week.casefold())}
    numbers = set() if TASK.search(text) else {str(int(number)) for number in re.findall(r"\d{1,4}", text)}
    meant = names.get(numbers.pop(), "") if len(numbers) == 1 else ""  # as in `Homework 5: CNNs`
    return names.get(key) or meant or text.strip()


def _task(scale: Scale, words: str) -> str:
    """Return the task that is meant: forms offer `Task 5.3, values of LeNet`."""
    try:
        return scale.task(words)
    except UsageError:
        numbers = set(TASK.findall(words))
        if len(numbers) != 1:
            raise
        return scale.task(numbers.pop())


def enter(change: Changing, person: Person, asked: Asked) -> str:
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
