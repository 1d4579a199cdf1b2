"""Shows the class: who is where, what needs a look, what goes wrong most often; chosen by the address."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from grader.desk.desk import Desk, desk_of
from grader.desk.model.figures import figures_of
from grader.desk.model.filters import Filter, choose, chosen_rows
from grader.desk.model.snapshot import Duty, Snapshot
from grader.desk.pages.rendering import page
from grader.reports.class_page import LACKS, OVERTAKEN, flags, marks
from grader.reports.figures import Row, State
from grader.reports.sections import EVERYBODY, section_name

_UNSCORED = {State.NOTHING: "–", State.NOT_GRADABLE: "not graded", State.UNCLEAR: "unclear"}
_IN_CELLS = ("provisional", "excused", "nothing handed in")


@dataclass(frozen=True)
class Cell:
    """A student's week in the table."""

    week: str
    state: State
    score: float | None
    most: float
    text: str
    duty: Duty
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A student in the table."""

    row: Row
    section: str
    cells: tuple[Cell, ...]
    flags: str


async def show_class(request: Request) -> Response:
    """Show the table, and beside it what there is to do."""
    desk = desk_of(request)
    wanted = Filter.of(request.query_params)
    chosen = choose(desk.snapshot, wanted)
    return page(
        request,
        "class.html.j2",
        wanted=wanted,
        chosen=chosen,
        lines=[_line(desk, row) for row in chosen.items],
        sections=sections(desk),
        states=[*State, LACKS, OVERTAKEN],
        overtaken=OVERTAKEN,
        tas=desk.tas,
        figures=figures_of(desk.snapshot),
        news=desk.live.news(),
        everybody=EVERYBODY,
    )


def prepare(snapshot: Snapshot) -> None:
    """Work out what the table and a search need of each student, so that the first page does not wait for it."""
    chosen_rows(snapshot, Filter(q=" ".join("aeiou"), sort="-total"))
    for row in snapshot.rows:
        snapshot.kept(row, _remarks)


def sections(desk: Desk) -> list[str]:
    """Return the names of the class's sections."""
    return sorted({section_name(row.person) for row in desk.snapshot.rows} - {""})


def _line(desk: Desk, row: Row) -> Line:
    return Line(
        row,
        section_name(row.person),
        tuple(_cell(desk, row, week) for week in desk.snapshot.weeks),
        desk.snapshot.kept(row, _remarks),
    )


def _remarks(row: Row) -> str:
    """Say in short what stands out about a student, week by week; what cells say already is left out."""
    found: dict[str, list[str]] = {}
    for flag in flags(row):
        week, _, words = flag.rpartition(": ")
        if words not in _IN_CELLS:
            found.setdefault(week, []).append(words)
    said = [f"{week}: {', '.join(words)}" if week else ", ".join(words) for week, words in found.items()]
    return " · ".join(said)


def _cell(desk: Desk, row: Row, week: str) -> Cell:
    state, report = row.state(week), row.reports.get(week)
    duty = desk.snapshot.duties.get((row.person.key, week), Duty())
    if report is None or state is State.NOTHING:
        return Cell(week, state, None, 0, _UNSCORED.get(state, "–"), duty)
    if report.excused:
        return Cell(week, state, None, report.max_score, "excused", duty, marks(report))
    return Cell(week, state, report.score, report.max_score, "", duty, marks(report))
