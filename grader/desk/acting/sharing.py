"""Shares work out among those who grade, marks it as done, and finds what is next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from grader.desk.acting.decisions import person_of
from grader.desk.desk import Desk, Done
from grader.desk.model.filters import NOBODY, Filter, chosen_rows, needs_look
from grader.desk.model.snapshot import Duty, Key
from grader.errors import UsageError
from grader.gradebook.together.actions import Changing
from grader.reports.figures import State
from grader.reports.words import counted

LONGEST_NAME = 80
EVENLY, BY_SECTION = "evenly", "by section"


def assign(desk: Desk, who: str, keys: Iterable[Key], ta: str) -> Done:
    """Have somebody look after students' weeks; an empty name: nobody."""
    name = _name(ta)
    keys = list(keys)
    with desk.book.changing(who) as change:
        for key in keys:
            _assign(change, _checked(desk, key), name)
        person, week = keys[0] if len(keys) == 1 else (0, "")
        said = f"{counted(len(keys), 'work')}: {name or 'nobody'} looks after them"
        if len(keys) == 1:
            said = f"{person_of(desk, person).name}, {week}: {name or 'nobody'} looks after it"
        change.note(said, person, week)
    return desk.done(change, said)


def spread(desk: Desk, who: str, week: str, tas: Sequence[str], how: str, of: str = "") -> Done:
    """Share a week's works out among several: evenly, or with whole sections; a group's work goes to one of them.

    What is done stays where it is. `of` chooses the works of one who looks after them, or `NOBODY`'s; empty: all.
    """
    names = list(dict.fromkeys(name for name in map(_name, tas) if name))
    if not names:
        raise UsageError("name at least one person who grades")
    if week not in desk.snapshot.weeks:
        raise UsageError(f"there is no {week}")
    bundles = _bundles(desk, week, of, by_section=how == BY_SECTION)
    moved = {key for bundle in bundles for key in bundle}
    load = {name: _load(desk, week, name, moved) for name in names}
    dealt = dict.fromkeys(names, 0)
    with desk.book.changing(who) as change:
        for bundle in sorted(bundles, key=len, reverse=True):
            ta = min(names, key=lambda name: (load[name], names.index(name)))
            load[ta] += len(bundle)
            dealt[ta] += len(bundle)
            for key in bundle:
                _assign(change, key, ta)
        said = f"{week}: {', '.join(f'{name} {count}' for name, count in dealt.items())}"
        change.note(said)
    return desk.done(change, said)


def mark_done(desk: Desk, who: str, key: Key, done: bool) -> Done:
    """Note that somebody is done with a student's week, until it is graded again; or that they are not."""
    person = person_of(desk, key[0])
    _checked(desk, key)
    with desk.book.changing(who) as change:
        if done:
            attempt = change.attempt(*key)
            change.put("looked", {"person": key[0], "week": key[1], "who": who, "at": change.at, "attempt": attempt})
        else:
            change.drop("looked", person=key[0], week=key[1])
        said = f"{person.name}, {key[1]}: {'done' if done else 'not done'}"
        change.note(said, *key)
    return desk.done(change, said)


def queue(desk: Desk, wanted: Filter) -> list[Key]:
    """Return the students' weeks that a filter asks for, in the order of its table."""
    weeks = [wanted.week] if wanted.week in desk.snapshot.weeks else desk.snapshot.weeks
    rows = chosen_rows(desk.snapshot, wanted)
    return [
        (row.person.key, week)
        for week in weeks
        for row in rows
        if row.person.key and _has_work(desk.snapshot.state(row, week))
    ]


def next_of(desk: Desk, ta: str, after: Key | None = None, order: Sequence[Key] | None = None) -> Key | None:
    """Return the next student's week that needs a look: first of those that somebody looks after, then nobody's.

    `order` has those that come into question, all if it is not given.
    """
    order = queue(desk, Filter()) if order is None else order
    start = order.index(after) + 1 if after in order else 0
    todo = [key for key in (*order[start:], *order[:start]) if key != after and not _duty(desk, key).done_by]
    rows = {row.person.key: row for row in desk.snapshot.rows}
    mine = [key for key in todo if _duty(desk, key).who == ta]
    look = next((key for key in mine if needs_look(rows[key[0]], key[1])), None)
    free = (key for key in todo if not _duty(desk, key).who and needs_look(rows[key[0]], key[1]))
    return look or next(iter(mine), None) or next(free, None)


def _duty(desk: Desk, key: Key) -> Duty:
    return desk.snapshot.duties.get(key, Duty())


def _has_work(state: State) -> bool:
    return state not in (State.NOTHING, State.UNCLEAR)


def _checked(desk: Desk, key: Key) -> Key:
    """Return a student's week that there is. `UsageError` where there is no such student, or no such week."""
    person_of(desk, key[0])
    if key[1] not in desk.book.known_weeks():
        raise UsageError(f"there is no {key[1]}")
    return key


def _load(desk: Desk, week: str, ta: str, moved: Collection[Key]) -> int:
    """Count the works that somebody keeps looking after."""
    return sum(duty.who == ta for key, duty in desk.snapshot.duties.items() if key[1] == week and key not in moved)


def _is_shared_out(duty: Duty, of: str) -> bool:
    return not duty.done_by and (not of or (duty.who or NOBODY) == of)


def _bundles(desk: Desk, week: str, of: str, by_section: bool) -> list[list[Key]]:
    found: dict[str, list[Key]] = {}
    for row in desk.snapshot.rows:
        person = row.person
        if not person.key or not _has_work(desk.snapshot.state(row, week)):
            continue
        if not _is_shared_out(_duty(desk, (person.key, week)), of):
            continue
        own = f"group {person.group}" if person.group else f"person {person.key}"
        name = f"section {person.section}" if by_section and person.section else own
        found.setdefault(name, []).append((person.key, week))
    return list(found.values())


def _assign(change: Changing, key: Key, name: str) -> None:
    if name:
        change.put("assigned", {"person": key[0], "week": key[1], "who": name})
    else:
        change.drop("assigned", person=key[0], week=key[1])


def _name(ta: str) -> str:
    name = " ".join(ta.split())
    if len(name) > LONGEST_NAME:
        raise UsageError(f"a name has at most {LONGEST_NAME} characters")
    return "" if name == NOBODY else name
