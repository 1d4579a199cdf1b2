"""Puts a class folder and its roster to the people that the gradebook knows, and says what is not clear."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.batch.kept_roster import keep_roster
from grader.errors import SubmissionError, UsageError
from grader.escape import terminal
from grader.gradebook import Gradebook
from grader.intake import Candidate, Survey, surveyed_digest
from grader.intake.roster import Roster, credit_members
from grader.people.identity import Identity
from grader.people.matching import doubles, questions
from grader.people.naming import same_name
from grader.people.person import Person
from grader.people.register import Entry, Register, Work

LARGEST_TEAM = 8  # a larger group whose members hand in works of their own is a section

Results = dict[str, dict[str, set[int]]]  # people's keys by week, then by class folder
Key = tuple[Identity, str]


@dataclass(frozen=True)
class Members:
    """A class: its candidates under the names that pages show, and what was found out about the people.

    `missing` are those of the roster of whom there is nothing, `strangers` those who are not on it, `gone` those whose
    entry the folder holds no longer. `said` is what was decided, `unclear` what only a person can decide.
    """

    candidates: tuple[Candidate, ...]
    roster: Roster
    people: tuple[Person, ...] = ()
    missing: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    renamed: tuple[tuple[Person, str], ...] = ()
    merged: tuple[tuple[Person, Person], ...] = ()


def find_members(found: Survey, roster: Roster, folder: Path, book: Gradebook | None = None) -> Members:
    """Find out who is who in a class folder. A gradebook is asked and not changed: see `record_members`."""
    return _Finding(found, roster, str(folder.resolve()), book).members()


def record_members(members: Members, folder: Path, book: Gradebook) -> None:
    """Record who is who, and which entries are there."""
    book.save_people(members.people, members.merged)
    keep_roster(members.roster, book)
    book.record_entries(str(folder.resolve()), {(one.student, one.week or "") for one in members.candidates})
    book.mark_gone({person.key: person.gone for person in members.people if person.gone})


class _Finding:
    """One look at a class folder, its roster, and what the gradebook knows."""

    def __init__(self, found: Survey, roster: Roster, here: str, book: Gradebook | None) -> None:
        self._candidates = candidates = found.candidates
        self._typed = found.typed
        self._roster = roster
        self._here = here
        self._register = Register(book.people() if book else ())
        self._results: Results = book.results_by_folder() if book else {}
        self._work = book.work() if book else {}
        self._weeks = {candidate.week or "" for candidate in candidates} | {""}

    def members(self) -> Members:
        """Put everything to people, roster first, and say what came of it."""
        listed = self._enrol()
        placed = self._place()
        renamed = self._register.name_all()
        roster = self._roster.under([self._register.current(person).name for person in listed])
        candidates = self._with_typed(_each_once(self._credited(placed, roster)))
        gone = self._note_entries(candidates)
        there = {candidate.student for candidate in candidates}
        people = self._register.people
        asked = questions(people)
        asking = {person.name for person in doubles(asked)}  # each may be somebody of the roster, and is asked about
        may_be_there = {other.name for _, others in asked for other in others}
        nothing = [person.name for person in people if person.listed and person.name not in there | may_be_there]
        on_roster = {person.name for person in people if person.listed}
        return Members(
            candidates=tuple(candidates),
            roster=roster,
            people=tuple(people),
            missing=tuple(sorted(nothing)),
            strangers=tuple(sorted(there - on_roster - asking)) if on_roster else (),
            gone=tuple(sorted(gone)),
            said=(*self._roster.said, *self._register.said),
            unclear=tuple(_question(person, others) for person, others in asked if person.name in there),
            renamed=tuple(renamed),
            merged=tuple(self._register.merged),
        )

    def _enrol(self) -> list[Person]:
        """Find the people of the roster; without a new one, who is listed stays as it was."""
        students = self._roster.students
        if not students or self._roster.keys:
            known = {person.key: person for person in self._register.people}
            return [known[key] for key in self._roster.keys]
        for person in self._register.people:
            person.listed = False
        lines = [Entry(student.who, student.name, listed=True) for student in students]
        people = self._register.place(lines)
        for person, student in zip(people, students, strict=True):
            person.listed, person.section, person.group = True, student.section, student.group
        return people

    def _place(self) -> dict[Key, Person]:
        groups = {same_name(student.group) for student in self._roster.students if student.group}
        own = [one for one in self._candidates if same_name(one.student) not in groups]
        entries = _entries(own)
        return dict(zip(entries, self._register.place(list(entries.values()), self._lost), strict=True))

    def _lost(self, present: Collection[int]) -> list[tuple[Person, Work]]:
        """Return those whose entry is gone, with their work."""
        gone = set().union(*self._gone(present).values())
        return [
            (person, frozenset(self._work.get(person.name, ())))
            for person in self._register.people
            if person.key in gone
        ]

    def _gone(self, present: Collection[int]) -> dict[str, set[int]]:
        """Return by week who had something in this folder, or in an earlier copy of it, and has no entry any more.

        A folder of which half of the people are here again is an earlier copy; any other is another part of the class.
        """
        there = set(present)
        found: dict[str, set[int]] = {}
        for week in self._weeks:
            for folder, people in self._results.get(week, {}).items():
                if folder == self._here or 2 * len(people & there) >= len(people):
                    found.setdefault(week, set()).update(people - there)
        return found

    def _credited(self, placed: dict[Key, Person], roster: Roster) -> list[Candidate]:
        named = []
        for candidate in self._candidates:
            person = placed.get((candidate.who, candidate.student))
            named.append(roster.timed(replace(candidate, student=person.name) if person else candidate))
        groups = roster.groups()
        _refuse_sections(named, groups)
        return credit_members(named, groups)

    def _with_typed(self, candidates: list[Candidate]) -> list[Candidate]:
        """Add those of the class who handed in text or a link alone: that is not nothing."""
        have = {(one.student, week) for one in candidates for week in (one.week, None)}
        for one in self._typed:
            person = self._register.find(Entry(one.who, one.student, frozenset({one.week or ""} - {""})))
            if person is not None and (person.name, one.week) not in have:
                candidates.append(replace(one, student=person.name))
        return candidates

    def _note_entries(self, candidates: Sequence[Candidate]) -> list[str]:
        """Note which weeks the folder holds of everybody; return the names of those of whom something is gone."""
        weeks: dict[str, set[str]] = {}
        for candidate in candidates:
            weeks.setdefault(candidate.student, set()).add(candidate.week or "")
        gone = self._gone({person.key for person in self._register.people if person.name in weeks})
        names = []
        for person in self._register.people:
            lost = {week for week, people in gone.items() if person.key in people}
            person.handed = (person.handed - lost) | weeks.get(person.name, set())
            person.gone = (person.gone | lost) - person.handed
            names += [person.lost] if person.lost else []
        return names


def _entries(candidates: Iterable[Candidate]) -> dict[Key, Entry]:
    """Put together what candidates say of one entry."""
    found: dict[Key, list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault((candidate.who, candidate.student), []).append(candidate)
    return {
        key: Entry(key[0], key[1], frozenset(one.week or "" for one in theirs), frozenset(_work(theirs)))
        for key, theirs in found.items()
    }


def _work(candidates: Iterable[Candidate]) -> Iterable[tuple[str, str]]:
    for candidate in candidates:
        try:
            yield candidate.week or "", surveyed_digest(candidate)
        except SubmissionError:
            continue


def _refuse_sections(candidates: Iterable[Candidate], groups: Mapping[str, Sequence[str]]) -> None:
    """Refuse a group that is a section, by what its many members handed in: one's work would count for all."""
    by_member: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in candidates:
        by_member.setdefault((candidate.student, candidate.week or ""), []).append(candidate)
    for group, members in groups.items():
        if len(members) <= LARGEST_TEAM:
            continue
        for week in {week for name, week in by_member if week and name in members}:
            works = {work for name in members for work in _work(by_member.get((name, week), ()))}
            if 2 * len(works) > len(members):
                raise UsageError(
                    f"the roster's group {terminal(group)!r} has {len(members)} members, who handed in {len(works)} "
                    f"different works of {week}, and of a group one counts for all: if it is a section, call that "
                    f"column `section`"
                )


def _each_once(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Leave one candidate for a person's week; where entries contend, one that only says so."""
    found: dict[tuple[str, str | None], list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault((candidate.student, candidate.week), []).append(candidate)
    return [theirs[0] if len(theirs) == 1 else _contended(theirs) for theirs in found.values()]


def _contended(candidates: Sequence[Candidate]) -> Candidate:
    names = " and ".join(sorted(candidate.path.name for candidate in candidates))
    return replace(
        candidates[0], place=None, problem=f"{names} are both theirs, and nothing tells which counts: keep one of them"
    )


def _question(person: Person, others: Sequence[Person]) -> str:
    names = " or ".join(other.name for other in others)
    which = "it is the first" if len(others) > 1 else "so"
    return f'{person.name} may be {names}; if {which}: people merge "{person.name}" "{others[0].name}"'
