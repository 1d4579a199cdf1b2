"""Work that several students hand in together: each member of a group gets it, under a name of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from grader.intake import Candidate
from grader.intake.layouts import Handed
from grader.intake.naming import same_name


def credit_members(candidates: Sequence[Candidate], groups: dict[str, list[str]]) -> list[Candidate]:
    """The candidates with one for each member of a group, from what a member handed in, or an entry of its name.

    `groups` holds members' names by the group's. Of several the latest counts, where times tell which that is;
    where they do not, those who handed in keep what is theirs, and it stays open what the others get.
    """
    group_of = {name: group for group, members in groups.items() for name in members}
    by_name = {same_name(group): group for group in groups}
    shared: dict[tuple[str, str], list[Candidate]] = {}
    alone = []
    for candidate in candidates:
        group = group_of.get(candidate.student) or by_name.get(same_name(candidate.student))
        # What is for no known week cannot be shared: it stays with whoever handed it in.
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
