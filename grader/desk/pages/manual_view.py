"""Shows what people grade: a part of a week, one student after the other, with its rubric."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grader.desk.acting.decisions import reached, revisions
from grader.desk.acting.sharing import queue
from grader.desk.desk import Desk, desk_of
from grader.desk.model.filters import Filter
from grader.desk.model.masking import masked
from grader.desk.model.snapshot import Duty, Key
from grader.desk.pages.rendering import ANONYMOUS, address, back, page
from grader.desk.pages.work_view import files_of
from grader.gradebook.together.comments import About
from grader.intake.answers.answers import Cell
from grader.results import WEEK, ManualPart

_ALIASES, _STEP = 8_999, 3_571  # primes, so that no two multiples are alike and neighbours are not


async def show_part(request: Request) -> Response:
    """Show a part of a student's week; without a student, that of the first who waits for it."""
    desk, week, name = desk_of(request), str(request.path_params["week"]), str(request.path_params["part"])
    part = next((one for one in desk.book.manual_parts().get(week, ()) if one.name == name), None)
    if part is None:
        raise HTTPException(404, f"{week} has no such part")
    hidden = request.query_params.get(ANONYMOUS, "") == "yes"
    mine = request.query_params.get("mine", "") == "yes"
    ta = request.scope["session"].who if mine else ""
    keys = order(desk, week, ta)
    newer = answered_anew(desk, week, name)
    wanted = request.query_params.get("student", "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else 0
    key = (number, week)
    if not number:
        waiting = [one for one in keys if waits(desk, one, part)] or [one for one in keys if one in newer]
        return _first(request, week, part, waiting, len(keys))
    report = desk.snapshot.full(key)
    person = desk.snapshot.person(number)
    if report is None or person is None:
        raise HTTPException(404, "there is no such student")
    graded = next((one for one in report.manual if one.name == name), part)
    place = keys.index(key) if key in keys else 0
    known = revisions(desk, reached(desk, person, week), week)
    comments = desk.book.comments(person.name, week).get((person.name, week), [])
    sources = desk.snapshot.sources(report.submission) if report.submission else {}
    shown = masked(reached(desk, person, week)) if hidden else str
    cells, is_all = desk.snapshot.answers(key).of(name)
    return page(
        request,
        "manual.html.j2",
        week=week,
        part=part.said_in(report.texts),
        heading=part,
        graded=graded,
        person=person,
        name=alias(key) if hidden else person.name,
        hidden=hidden,
        mine=mine,
        report=report,
        held=known.get(name, known[""]),
        answer=answer_of(cells, shown),
        is_all=is_all,
        is_newer=key in newer,
        notes=[shown(note) for note in report.notes],
        files=list(
            files_of(replace(report, checks=()), {path: shown(text) for path, text in sources.items()}, comments)
        ),
        comments=[one for one in comments if one.about is About.TASK and one.target == name],
        phrases=desk.book.phrases(week, name),
        before=keys[place - 1] if place else None,
        after=keys[place + 1] if place + 1 < len(keys) else None,
        place=place + 1,
        count=len(keys),
        open=sum(waits(desk, one, part) for one in keys),
        anew=sum(one in newer for one in keys),
        exhibits_of=[check for check in report.checks if check.exhibits],
    )


def _first(request: Request, week: str, part: ManualPart, waiting: Sequence[Key], count: int) -> Response:
    """Go to the first of those who wait, among so many, with the same choices; say where nobody does."""
    kept = {name: "yes" for name in (ANONYMOUS, "mine") if request.query_params.get(name) == "yes"}
    if not waiting:
        return page(request, "manual_done.html.j2", week=week, part=part, mine="mine" in kept, count=count)
    return back(request, address(request.url.path, student=waiting[0][0], **kept))


@dataclass(frozen=True)
class AnswerFile:
    """A file of an answer, with its cells."""

    path: str
    cells: Sequence[Cell]


def answer_of(cells: Iterable[Cell], shown: Callable[[str], str] = str) -> list[AnswerFile]:
    """Return the files of an answer; all their texts as `shown` makes them."""
    return [AnswerFile(shown(path), [_shown(cell, shown) for cell in own]) for path, own in groupby(cells, _file)]


def _file(cell: Cell) -> str:
    return cell.file


def _shown(cell: Cell, shown: Callable[[str], str]) -> Cell:
    pieces = [one if one.is_picture else replace(one, content=shown(one.content)) for one in cell.pieces]
    return replace(cell, text=shown(cell.text), pieces=tuple(pieces))


def answered_anew(desk: Desk, week: str, part: str) -> Collection[Key]:
    """Return whose answers came after somebody graded a part of a week."""
    rows = desk.book.rows(
        "SELECT person, max(at) FROM overrides WHERE week = ? AND task = ? AND kind != 'comment' GROUP BY person",
        week, part,
    )  # fmt: skip
    found = set()
    for person, at in rows:
        key = (person, week)
        report = desk.snapshot.reports.get(key)
        is_graded = report is not None and any(
            one.name == part and one.points is not None and one.by for one in report.manual
        )
        if is_graded and desk.snapshot.answered.get(key, ("", ""))[1] > at:
            found.add(key)
    return found


def order(desk: Desk, week: str, ta: str = "") -> Sequence[Key]:
    """Return whose part is graded one after the other; of those who share a work, one."""
    found: dict[object, Key] = {}
    for key in queue(desk, Filter(week=week)):
        report = desk.snapshot.reports.get(key)
        if report is None or not report.manual:
            continue
        if ta and desk.snapshot.duties.get(key, Duty()).who != ta:
            continue
        person = desk.snapshot.people[key[0]]
        found.setdefault((person.group, report.submission) if person.group else key, key)
    return list(found.values())


def waits(desk: Desk, key: Key, part: ManualPart) -> bool:
    """Tell whether nobody has graded a part of a student's week yet."""
    report = desk.snapshot.reports.get(key)
    if report is None or report.excused or WEEK in report.settled:
        return False
    return any(one.name == part.name and one.points is None for one in report.manual)


def alias(key: Key) -> str:
    """Return a name that tells works apart and not whose they are: no two of a week have one, up to `_ALIASES`."""
    number, week = key
    start = int(hashlib.sha256(week.encode()).hexdigest()[:6], 16)
    return f"Student {1_000 + (start + number * _STEP) % _ALIASES}"
