"""Enters requests from tables of forms: columns in any order and language, which somebody maps once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from grader.desk.acting.requests import TASK, Asked, asked_of, enter, read_week
from grader.desk.acting.tables import Table
from grader.desk.desk import Desk, Done
from grader.errors import UsageError
from grader.escape import terminal
from grader.intake.tables.columns import COLUMNS, folded_name
from grader.people.naming import folded, same_name
from grader.people.naming import folded_name as folded_person
from grader.people.person import Person
from grader.reports.words import counted

MOST_HINTS = 10  # names that nobody has, of which is said who may be meant
SAMPLE = 20  # rows by which the meaning of a column is guessed
_ENOUGH = 0.6  # of the cells of a sample
_LONG = 12  # characters of a question, on average


class Role(StrEnum):
    """What a column holds; several may hold who asks, or what is asked."""

    NOTHING = ""
    STUDENT = "student"
    WEEK = "week"
    TASK = "task"
    TEXT = "text"


@dataclass(frozen=True)
class Mapping:
    """What each column holds, and the week of requests that name none."""

    roles: tuple[Role, ...]
    week: str = ""
    is_sure: bool = False  # as somebody has said so, or the columns' names do

    @property
    def lacks(self) -> str:
        """Say what no column holds; empty where nothing lacks."""
        if Role.STUDENT not in self.roles:
            return "say which column holds who asks: a name, an id or an e-mail"
        if Role.TEXT not in self.roles:
            return "say which column holds what is asked"
        if Role.WEEK not in self.roles and not self.week:
            return "say which column holds the week, or choose the week of all"
        return ""


@dataclass
class Read:
    """What a table says: the requests that can be entered, and the lines that make no sense."""

    new: list[tuple[Person, Asked]] = field(default_factory=list)
    known: int = 0
    wrong: list[str] = field(default_factory=list)


def guessed(desk: Desk, table: Table) -> Mapping:
    """Return what was said of such a table before, or what its columns seem to hold."""
    kept = _kept(desk, table)
    if kept is not None:
        return kept
    students = _Students(desk)
    roles = [_by_name(name) for name in table.header]
    is_sure = {Role.STUDENT, Role.WEEK, Role.TEXT} <= set(roles)
    for place in range(len(table.header)):
        cells = table.column(place)[:SAMPLE]
        if roles[place] in (Role.STUDENT, Role.NOTHING):
            least = _ENOUGH if roles[place] is Role.NOTHING else 0.01  # what is called `E-mail` may hold `anonymous`
            is_student = _share(cells, students.has) >= least
            roles[place] = Role.STUDENT if is_student else Role.NOTHING
        if roles[place] is Role.NOTHING and _share(cells, lambda cell: _known_week(desk, cell)) >= _ENOUGH:
            roles[place] = Role.WEEK if Role.WEEK not in roles else Role.NOTHING
        if roles[place] is Role.NOTHING and Role.TASK not in roles and _share(cells, _task_of(desk)) >= _ENOUGH:
            roles[place] = Role.TASK
    if Role.TEXT not in roles:
        lengths = {place: _mean_length(table.column(place)) for place, role in enumerate(roles) if not role}
        longest = max(lengths, key=lambda place: lengths[place], default=None)
        if longest is not None and lengths[longest] >= _LONG:
            roles[longest] = Role.TEXT
    if Role.STUDENT not in roles:  # nobody of the first rows is known; what it is called says it as well
        roles = [role or _by_name(name) for name, role in zip(table.header, roles, strict=True)]
    weeks = desk.snapshot.weeks
    return Mapping(tuple(roles), weeks[0] if len(weeks) == 1 and Role.WEEK not in roles else "", is_sure)


def read_requests(desk: Desk, table: Table, mapping: Mapping) -> Read:
    """Read a table's requests; those that are there already are counted alone."""
    found, students = Read(), _Students(desk)
    seen: set[Asked] = {(one.person, one.week, one.task, one.text) for one in desk.snapshot.requests}
    for line, cells in table.rows:
        try:
            person, asked = _request(desk, students, table, mapping, cells)
        except UsageError as error:
            found.wrong.append(f"line {line}: {error}")
            continue
        if asked in seen:
            found.known += 1
        else:
            seen.add(asked)
            found.new.append((person, asked))
    return found


def import_requests(desk: Desk, who: str, table: Table, mapping: Mapping, read: Read) -> Done:
    """Enter what was read, and remember what the columns of such a table hold."""
    desk.book.set(table.name, json.dumps([*mapping.roles, mapping.week]))
    said = f"{counted(len(read.new), 'request')} imported"
    said += f", {read.known} {'was' if read.known == 1 else 'were'} there already" if read.known else ""
    said += f", {counted(len(read.wrong), 'line')} left out" if read.wrong else ""
    with desk.book.changing(who) as change:
        for person, asked in read.new:
            enter(change, person, asked)
        change.note(said)
    return desk.done(change, said)


def _kept(desk: Desk, table: Table) -> Mapping | None:
    text = desk.book.setting(table.name)
    if not text:
        return None
    *roles, week = json.loads(text)
    is_known = len(roles) == len(table.header) and (not week or week in desk.snapshot.weeks)
    return Mapping(tuple(Role(role) for role in roles), week, is_sure=True) if is_known else None


def _request(
    desk: Desk, students: _Students, table: Table, mapping: Mapping, cells: Sequence[str]
) -> tuple[Person, Asked]:
    def of(role: Role) -> list[tuple[str, str]]:
        named = zip(table.header, mapping.roles, cells, strict=True)
        return [(name, cell) for name, own, cell in named if own is role and cell]

    person = _asking(students, [cell for _, cell in of(Role.STUDENT)])
    week = next((cell for _, cell in of(Role.WEEK)), mapping.week)
    task = next((cell for _, cell in of(Role.TASK)), "")
    texts = of(Role.TEXT)
    text = texts[0][1] if len(texts) == 1 else "\n".join(f"{name} {cell}" for name, cell in texts)
    return person, asked_of(desk, person, week, task, text)


def _asking(students: _Students, cells: Sequence[str]) -> Person:
    """Find who asks. One cell that is known is enough, unless another one is somebody else's."""
    if not cells:
        raise UsageError("names no student")
    found, problem = {}, None
    for cell in cells:
        try:
            person = students.find(cell)
            found[person.key] = person
        except UsageError as error:
            problem = problem or error
    if len(found) > 1:
        raise UsageError(f"names {' and '.join(one.name for one in found.values())}; one of its columns is wrong")
    if problem is not None and not found:
        raise problem
    return next(iter(found.values()))


class _Students:
    """Finds students. It takes long to find out who a name that nobody has may mean: a few alone get such a hint."""

    def __init__(self, desk: Desk) -> None:
        self._teams = desk.teams
        self._missed: set[str] = set()
        self._known: set[object] = set()
        for person in desk.teams.people:
            self._known.update(folded(value) for _, value in person.marks)
            self._known.update(map(folded_person, person.names))
            self._known.update([same_name(person.group)] if person.group else [])

    def has(self, words: str) -> bool:
        """Tell whether somebody, or a group, is called so."""
        return bool({folded(words.strip()), folded_person(words), same_name(words)} & self._known)

    def find(self, words: str) -> Person:
        """Find who is meant. `UsageError` where it is nobody, or several."""
        if not self.has(words):
            if len(self._missed) >= MOST_HINTS and words not in self._missed:
                raise UsageError(terminal(f"the gradebook has no student {words!r}"))
            self._missed.add(words)
        return self._teams.find(words)[0]


def _by_name(header: str) -> Role:
    name = folded_name(header)
    return next((role for role, names in _NAMES.items() if name in names), Role.NOTHING)


def _share(cells: Sequence[str], makes_sense: Callable[[str], object]) -> float:
    """Return the share of cells that make sense."""
    good = 0
    for cell in cells:
        try:
            good += bool(makes_sense(cell))
        except UsageError:
            continue
    return good / len(cells) if cells else 0.0


def _known_week(desk: Desk, cell: str) -> bool:
    return len(cell) < 80 and re.search(r"\d", cell) is not None and read_week(desk, cell) in desk.book.known_weeks()


def _task_of(desk: Desk) -> Callable[[str], bool]:
    """Return what tells whether a cell names a task of the course."""
    known = {check.task for week in desk.snapshot.weeks for check in desk.book.checks_of(week)}
    return lambda cell: len(cell) < 80 and bool(known.intersection(TASK.findall(cell)))


def _mean_length(cells: Sequence[str]) -> float:
    return sum(map(len, cells)) / len(cells) if cells else 0.0


_NAMES: dict[Role, frozenset[str]] = {
    Role.STUDENT: frozenset(name for kind in ("id", "name", "email", "login") for name in COLUMNS[kind]),
    Role.WEEK: frozenset({"week", "assignment", "homework", "woche", "semaine", "semana", "settimana", "uke"}),
    Role.TASK: frozenset({"task", "exercise", "problem", "aufgabe", "ejercicio", "esercizio"}),
    Role.TEXT: frozenset({"text", "question", "request", "comment", "reason", "frage", "begründung", "pregunta"}),
}
