"""Reads the roster: a CSV file with the columns `id`, `name`, `email`, `login`, `section`, `group` and `extensions`.

`name` is needed, the others are not. Students with the same `group` hand in together.
`extensions` is written as in `week5=+2d; week6=2026-10-20T23:59+02:00`, and so is `submitted`, which says when work was
handed in where its platform does not. What Canvas, Moodle, Gradescope and GitHub Classroom export will do as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path

from grader.course import Assignment
from grader.escape import terminal
from grader.intake import Candidate
from grader.intake.layouts import Handed
from grader.intake.tables.extensions import Extension
from grader.intake.tables.roster_file import Line, read_lines
from grader.intake.weeks import Weeks
from grader.people.identity import ROSTER, Identity
from grader.people.naming import same_name


@dataclass(frozen=True)
class Student:
    """One line of the roster."""

    name: str
    id: str = ""
    email: str = ""
    login: str = ""
    also: str = ""  # another number
    section: str = ""
    group: str = ""
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    submitted: Mapping[str, datetime] = field(default_factory=dict)
    is_participant: bool = False  # of Moodle's: the id is a number for one assignment

    @property
    def who(self) -> Identity:
        """What the line says of the person."""
        platform = "moodle" if self.is_participant else ROSTER
        return Identity(self.name, platform, self.id, self.login, self.email, self.also)


@dataclass(frozen=True)
class Roster:
    """The class; empty where none is known. `shown` has each student's place by the name that pages show.

    `keys` has the keys of the students in the gradebook, where the roster is an earlier run's. `said` says how
    something was read that could be read otherwise.
    """

    students: tuple[Student, ...] = ()
    keys: tuple[int, ...] = ()
    shown: Mapping[str, int] = field(default_factory=dict)
    said: tuple[str, ...] = ()

    def under(self, names: Sequence[str]) -> Roster:
        """Return the roster with the names that its students are shown by, in their order."""
        return replace(self, shown={name: place for place, name in enumerate(names)})

    def student(self, name: str) -> Student | None:
        """Return the student who is shown by that name; None for anybody else."""
        place = self.shown.get(name)
        return None if place is None else self.students[place]

    def timed(self, candidate: Candidate) -> Candidate:
        """Add to a candidate without a time the one that the roster says."""
        student = self.student(candidate.student)
        at = student.submitted.get(candidate.week or "") if student else None
        handed = candidate.handed or Handed(candidate.student, candidate.path)
        return candidate if at is None or handed.at else replace(candidate, handed=replace(handed, at=at))

    def extension(self, name: str, week: str) -> Extension | None:
        """Return the extension that a student was granted for a week, by the name shown."""
        student = self.student(name)
        return student.extensions.get(week) if student else None

    def groups(self) -> dict[str, list[str]]:
        """Return the names shown of each group's members; a group may be written in various ways."""
        found: dict[str, list[str]] = {}
        written: dict[tuple[str, ...], str] = {}
        for name, place in self.shown.items():
            if group := self.students[place].group:
                found.setdefault(written.setdefault(tuple(same_name(group)), group), []).append(name)
        return found


def read_roster(file: Path, assignments: Mapping[str, Assignment] | None = None) -> Roster:
    """Read a roster. `UsageError` names the line and what is wrong with it.

    With the course's `assignments`, what it says of weeks must be for one of them.
    """
    weeks = Weeks(assignments or {}, ())

    def week_of(word: str) -> str | None:
        return (weeks.named(word) or weeks.numbered(word)) if assignments is not None else word

    lines, said = read_lines(file, week_of, list(weeks.assignments))
    return Roster(tuple(_student(line) for line in lines), said=(*said, *_groups_said(file, lines)))


def _groups_said(file: Path, lines: Sequence[Line]) -> tuple[str, ...]:
    """Say how groups are read of which nobody knows whether they hand in together: never as one work for all."""
    groups = {line.groups for line in lines} - {""}
    if not groups:
        return ()
    first = terminal(min(groups))
    used = "sections" if any(line.section == line.groups != "" for line in lines) else "nothing, beside its sections"
    return (
        f"{file.name}: its groups, such as {first!r}, are read as {used}; if each hands in one work for all its "
        f"members, call that column `group`",
    )


def _student(line: Line) -> Student:
    given = {one.name: getattr(line, one.name) for one in fields(line) if one.name not in ("line", "groups")}
    return Student(**given)


def credit_members(candidates: Sequence[Candidate], groups: dict[str, list[str]]) -> list[Candidate]:
    """Give each member of a group a candidate, from what a member handed in, or from an entry of the group's name.

    `groups` holds members' names by the group's. Where several handed in, the latest counts, if times tell which that
    is. If they do not, those who handed in keep what is theirs, and it stays open what the others get.
    """
    group_of = {name: group for group, members in groups.items() for name in members}
    by_name = {same_name(group): group for group in groups}
    shared: dict[tuple[str, str], list[Candidate]] = {}
    alone = []
    for candidate in candidates:
        group = group_of.get(candidate.student) or by_name.get(same_name(candidate.student))
        # Work for no known week cannot be shared: it stays with whoever handed it in.
        if group and candidate.week:
            shared.setdefault((group, candidate.week), []).append(candidate)
        else:
            alone.append(candidate)
    for (group, _), theirs in shared.items():
        alone += _members(group, groups[group], theirs)
    return sorted(alone, key=lambda candidate: (candidate.student, candidate.week or ""))


def _members(group: str, members: Sequence[str], theirs: Sequence[Candidate]) -> Iterator[Candidate]:
    usable = [candidate for candidate in theirs if candidate.place is not None]
    latest = _latest(usable or theirs)
    if latest is None and not usable:
        yield from theirs
        return
    if latest is None:
        yield from (_noted(one, one.student, f"others of {group} handed in as well") for one in usable)
        names = ", ".join(one.student for one in usable)
        open_ones = [name for name in members if name not in {one.student for one in usable}]
        for name in open_ones:
            problem = f"{names} of {group} each handed in, and nothing tells which counts: keep one of them"
            yield replace(usable[0], student=name, place=None, problem=problem)
        return
    for name in members:
        by = "" if name == latest.student else f"handed in by {latest.student} for {group}"
        yield _noted(latest, name, by)


def _latest(candidates: Sequence[Candidate]) -> Candidate | None:
    if len(candidates) == 1:
        return candidates[0]
    times = [candidate.handed.at if candidate.handed else None for candidate in candidates]
    known = [time for time in times if time is not None]
    if len(known) < len(times) or known.count(max(known)) > 1:
        return None
    return candidates[times.index(max(known))]


def _noted(candidate: Candidate, student: str, note: str) -> Candidate:
    handed = candidate.handed or Handed(student, candidate.path)
    notes = (*handed.notes, note) if note else handed.notes
    return replace(candidate, student=student, handed=replace(handed, student=student, notes=notes))
