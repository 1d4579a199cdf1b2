"""Applies a table of decisions, as `sheet` writes it and a spreadsheet may have changed it: all lines, or none."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.batch.deciding.desk import Change, Desk
from grader.batch.deciding.sheet import COLUMNS
from grader.batch.deciding.words import Meant, check_reason, read_decision, written
from grader.errors import UsageError
from grader.escape import csv_cell
from grader.gradebook import Gradebook, open_book
from grader.intake.tables.columns import folded_name
from grader.intake.tables.rows import Row, read_rows
from grader.people.person import Person
from grader.results import Override

MOST_SAID = 20  # of what is wrong
_NUMBER = re.compile(r"\d+(?:[.,]0+)?")
_ROUNDED = re.compile(r"(?i)\d[.,]\d+e\+?\d+")  # what a spreadsheet makes of a long number
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_BARE = re.compile(r"\d+[.,]\d+")

Slot = tuple[str, str, str, bool]  # a student's week, and what of it is decided


@dataclass(frozen=True)
class Applied:
    """What became of a table: how many of its decisions held already, and what the others changed.

    `said` is what was guessed about its text.
    """

    kept: int
    changes: Sequence[Change]
    said: Sequence[str] = ()


@dataclass(frozen=True)
class _Wish:
    """A decision that a line asks for, and whether it reached its student through a team."""

    line: int
    decision: Override
    by_team: bool = False


def apply_sheet(out: Path, file: Path, who: str | None = None) -> Applied:
    """Apply a table of decisions. What holds already stays as it is, so that a second time changes nothing.

    `UsageError` names each line that cannot be, with what is wrong; then nothing is applied.
    """
    table = read_rows(file)
    columns = _columns(file, table.header)
    with open_book(out) as book:
        desk = Desk(book, out, who)
        wishes, kept = _Reading(book, desk, file, columns).all_of(table.rows)
        return Applied(kept, desk.decide(wishes) if wishes else (), table.said)


def _columns(file: Path, header: Row) -> Mapping[str, int]:
    columns: dict[str, int] = {}
    for place, name in enumerate(header.cells):
        key = folded_name(name)
        if key in columns:
            raise UsageError(f"{file}:{header.line}: two columns are called {name!r}; keep one of them")
        close = difflib.get_close_matches(key, COLUMNS, 1, 0.8) if key not in COLUMNS else []
        if close and close[0] not in map(folded_name, header.cells):
            raise UsageError(f"{file}:{header.line}: there is no column {name!r}; {close[0]!r} may be meant")
        columns[key] = place
    missing = [name for name in ("week", "task", "points") if name not in columns]
    if not {"student", "id", "email"} & set(columns):
        missing.insert(0, "student")
    if missing:
        raise UsageError(
            f"{file}:{header.line}: there is no column {' and no column '.join(map(repr, missing))}; "
            f"`adjustments sheet FILE` writes a table with all of them"
        )
    return columns


class _Reading:
    """Reads lines at a gradebook, and collects what is wrong with them."""

    def __init__(self, book: Gradebook, desk: Desk, file: Path, columns: Mapping[str, int]) -> None:
        self._desk = desk
        self._ever: dict[Slot, list[Override]] = {}
        for one in book.all_decisions():
            self._ever.setdefault((one.student, one.week, *one.slot), []).append(one)
        self._file = file
        self._columns = columns
        self._wrong: list[str] = []
        self._wishes: dict[Slot, _Wish] = {}  # that lines say
        self._reached: dict[Slot, _Wish] = {}  # that follow for others of a team

    def all_of(self, rows: Sequence[Row]) -> tuple[list[Override], int]:
        """Return the decisions that change something, and how many hold already."""
        for row in rows:
            try:
                for wish in self._wishes_of(row):
                    self._add(wish)
            except UsageError as error:
                self._wrong.append(f"{self._file}:{row.line}: {error}")
        if self._wrong:
            more = [f"and {len(self._wrong) - MOST_SAID} more"] if len(self._wrong) > MOST_SAID else []
            raise UsageError("\n".join([*self._wrong[:MOST_SAID], *more, "nothing was applied"]))
        wishes = self._reached | self._wishes
        changed = [wish.decision for wish in wishes.values() if not self._desk.holds(wish.decision)]
        return changed, len(wishes) - len(changed)

    def _add(self, wish: _Wish) -> None:
        slot = (wish.decision.student, wish.decision.week, *wish.decision.slot)
        known = self._reached if wish.by_team else self._wishes
        before = known.setdefault(slot, wish)
        if before is not wish and not _same(before.decision, wish.decision):
            how = "gives their team another" if wish.by_team else "says otherwise"
            raise UsageError(
                f"line {before.line} {how} of {wish.decision.student} {wish.decision.week} {wish.decision.task}; "
                f"keep one of the two{', or give them a line of their own' if wish.by_team else ''}"
            )

    def _wishes_of(self, row: Row) -> Iterator[_Wish]:
        people, week = self._people(row), self._week(row)
        words, raw = self._cell(row, "points"), self._cell(row, "why", raw=True)
        for person in people:
            meant = self._meant(row, person, week, words, raw)
            if meant is None:
                continue
            decision = self._decision(row, person, week, meant, raw)
            yield _Wish(row.line, decision, by_team=len(people) > 1)
            if len(people) == 1 and not self._desk.holds(decision) and not _is_yes(self._cell(row, "alone")):
                yield from self._team(row, person, week, decision, meant, words)

    def _team(
        self, row: Row, person: Person, week: str, decision: Override, meant: Meant, words: str
    ) -> Iterator[_Wish]:
        for mate in self._desk.reached([person], week, meant, alone=False):
            if mate is not person:
                read_decision(self._desk.scale(mate, week), decision.task, words)
                theirs = self._desk.decision(mate.name, week, meant, decision.why, decision.who, decision.at)
                yield _Wish(row.line, theirs, by_team=True)

    def _meant(self, row: Row, person: Person, week: str, words: str, raw: str) -> Meant | None:
        scale = self._desk.scale(person, week)
        task = self._task(row, scale.tasks)
        if words:
            return read_decision(scale, task, words)
        name = scale.task(task)
        held = self._desk.held.get((person.name, week, name, False))
        if held is not None:
            raise UsageError(
                f"{person.name} {week} {name} has no points here, and {_written(held)} holds, by {held.by}; "
                f"write that, or `back` to take it back"
            )
        if raw:
            raise UsageError(f"a reason without points; write `comment` under points if {raw!r} is no more than that")
        return None

    def _decision(self, row: Row, person: Person, week: str, meant: Meant, raw: str) -> Override:
        slot = (person.name, week, *meant.slot)
        held = self._desk.held.get(slot)
        # A table has one line for a reason, however it was written.
        why = held.why if held and raw == csv_cell(held.why) else check_reason(_text(raw))
        who, at = self._cell(row, "who"), self._cell(row, "at")
        if held is not None:  # an edited line is the decision of whoever applies it
            who, at = ("" if who == held.who else who), ""
        elif slot in self._ever or not _TIME.fullmatch(at) or at > self._desk.now:
            at = ""
        decision = self._desk.decision(person.name, week, meant, why, who, at)
        self._refuse_outdated(self._cell(row, "at"), held, decision)
        if not why and self._desk.scale(person, week).needs_reason(meant) and not self._desk.holds(decision):
            raise UsageError("give a reason under `why`; the student reads it")
        return decision

    def _refuse_outdated(self, at: str, held: Override | None, decision: Override) -> None:
        """Refuse a line that nobody has edited, and that somebody has decided otherwise about since."""
        slot = (decision.student, decision.week, *decision.slot)
        before = [one for one in self._ever.get(slot, ()) if one.at == at and one is not held and one != held]
        is_old = any(_same(one, decision) for one in before) and not (held and held.at == at)
        if at and is_old and not self._desk.holds(decision):
            now = f"{_written(held)} holds, by {held.by}" if held else "it was taken back"
            raise UsageError(
                f"{decision.student} {decision.week} {decision.task}: the line is of {at}, and since then {now}; "
                f"write a table anew, or empty the cell under `at` to decide so again"
            )

    def _task(self, row: Row, tasks: Mapping[str, int]) -> str:
        """Return the words for a task; `UsageError` for `5.1` where a spreadsheet may have made that of `5.10`."""
        text = self._needed(row, "task")
        if not _BARE.fullmatch(text):
            return text
        number = text.replace(",", ".")
        others = [task for task in tasks if task != number and task.rstrip("0") == number.rstrip("0")]
        if others and number in tasks:
            raise UsageError(
                f"a spreadsheet writes {others[0]} as {number}, too; write `Task {number}` or `Task {others[0]}`"
            )
        return others[0] if len(others) == 1 and number not in tasks else number

    def _week(self, row: Row) -> str:
        return self._needed(row, "week")

    def _people(self, row: Row) -> list[Person]:
        """Return whom a line means: by the id, then by the e-mail, then by the name, which must not disagree."""
        found: list[Person] = []
        for column in ("id", "email", "student"):
            text = self._cell(row, column)
            if not text:
                continue
            theirs = self._with_id(text, row) if column == "id" else self._called(text, bool(found))
            if found and theirs and not {one.key for one in found} & {one.key for one in theirs}:
                raise UsageError(f"{text!r} is {theirs[0].name}, and another cell of the line means {found[0].name}")
            found = found or theirs
        if not found:
            raise UsageError("names no student; fill in `student`, `id` or `email`")
        return found

    def _called(self, words: str, is_known: bool) -> list[Person]:
        try:
            return self._desk.teams.find(words)
        except UsageError:
            if is_known:  # the name may have been written anew
                return []
            raise

    def _with_id(self, text: str, row: Row) -> list[Person]:
        exact = [one for one in self._desk.teams.people if text in one.values("id") or text == one.id]
        if exact:
            return exact
        if _NUMBER.fullmatch(text):  # as a number, `00042` is 42
            number = re.split("[.,]", text)[0].lstrip("0")
            alike = [one for one in self._desk.teams.people if one.id.isdecimal() and one.id.lstrip("0") == number]
            if len(alike) == 1:
                return alike
        if _ROUNDED.fullmatch(text) and (self._cell(row, "email") or self._cell(row, "student")):
            return []
        raise UsageError(f"nobody has the id {text!r}")

    def _needed(self, row: Row, column: str) -> str:
        text = self._cell(row, column)
        if not text:
            raise UsageError(f"the cell under `{column}` is empty; fill it in")
        return text

    def _cell(self, row: Row, column: str, raw: bool = False) -> str:
        place = self._columns.get(column)
        text = row.cells[place].strip() if place is not None else ""
        return text if raw else _text(text)


def _text(cell: str) -> str:
    """Return a cell's text without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell[:1] == "'" and csv_cell(cell[1:]) == cell else cell


def _written(decision: Override) -> str:
    return written(decision.points, decision.kind, decision.items, decision.most)


def _same(one: Override, other: Override) -> bool:
    return (one.kind, one.points, one.items, one.why) == (other.kind, other.points, other.items, other.why)


def _is_yes(cell: str) -> bool:
    return cell.casefold() in ("yes", "y", "x", "1", "true", "wahr")
