"""Writes the class page, index.html: figures that follow a section, and a table that sorts, searches and filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import escape

from grader.course import week_order
from grader.course.protected import CHANGED
from grader.escape import plain
from grader.files import write_atomically
from grader.gradebook import Problem
from grader.language import ENGLISH, counting
from grader.people.person import Person
from grader.reports.failures import lacking
from grader.reports.figures import Row, State, by_name, class_rows, class_weeks
from grader.reports.links import Links
from grader.reports.overview import overviews
from grader.reports.pages import render_page
from grader.reports.sections import Section, section_name, sections_of
from grader.reports.words import week_title
from grader.results import Outcome, Report

# Outcomes that a teacher may want to know about, whatever the score; several of one kind are counted.
_KINDS = {"override": "overridden", "missing": "counts as zero"}
_NOTABLE = {Outcome.TIMEOUT: "timeout", Outcome.MEMORY: "out of memory", Outcome.KILLED: "killed"}
LACKS, OVERTAKEN = "modules missing", "newer work would score more"  # beside the states, in the choice of rows
_OUTDATED = '<p id="outdated" role="status"'  # as the template has it, where it is hidden
_UNSCORED = {State.NOTHING: "missing", State.NOT_GRADABLE: "not graded", State.UNCLEAR: "unclear"}


@dataclass(frozen=True)
class Cell:
    """One student's week: the score, where its pages lie, and whether it may still change.

    `text` stands in place of a score that counts nothing, or that nobody has given; `marks` are found beside the state.
    """

    week: str
    state: State
    marks: tuple[str, ...] = ()
    score: float | None = None
    href: str = ""
    code: str = ""
    final: bool = True
    text: str = ""


@dataclass(frozen=True)
class Line:
    """One student as the table shows them. `place` is that of the section among all.

    `also` holds what they can be found by beside what is shown. `is_double` is as in `Row`.
    """

    student: str
    id: str
    href: str
    person: Person
    place: int
    section: str
    mail: str
    also: str
    cells: tuple[Cell, ...]
    total: float | None
    flags: tuple[str, ...]
    is_double: bool = False


def write_class_page(
    reports: Iterable[Report], problems: Iterable[Problem], folder: Path, people: Sequence[Person] = ()
) -> None:
    """Write index.html into `folder`; `people` has the folders of their reports below `students/`.

    Where `export --to teacher` has written its pages into `teacher/` beside it, they are linked.
    """
    write_atomically(folder / "index.html", class_page_html(reports, problems, people, folder))


def say_outdated(page: str, what: str) -> str | None:
    """Return the class page with a line on top that says what it does not show; None where it has no place for one."""
    begin = page.find(_OUTDATED)
    end = page.find("</p>", begin)
    if min(begin, end) < 0:
        return None
    says = f"{_OUTDATED}>{escape(plain(what))}. <code>python -m grader adjustments pages</code> writes this page anew."
    return page[:begin] + says + page[end:]


def is_outdated(folder: Path) -> bool:
    """Tell whether the class page in `folder` says that it does not show all that was decided."""
    try:
        return f"{_OUTDATED}>" in (folder / "index.html").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def class_page_html(
    reports: Iterable[Report], problems: Iterable[Problem], people: Sequence[Person] = (), folder: Path | None = None
) -> str:
    """Return the class page as HTML; `people` are all that the gradebook knows, with those on the roster."""
    ordered = sorted(reports, key=lambda report: week_order(report.week))
    with counting(ordered[0].language if ordered else ENGLISH):
        return _class_page(ordered, problems, people, folder)


def _class_page(
    ordered: Sequence[Report], problems: Iterable[Problem], people: Sequence[Person], folder: Path | None
) -> str:
    rows = sorted(class_rows(ordered, problems, people), key=lambda row: by_name(row.student))
    weeks = class_weeks(rows)
    sections = sections_of(rows, people)
    links = Links(rows, people, folder)
    return render_page(
        "index.html.j2",
        script="index.js",
        style="index.css",
        weeks=weeks,
        sections=sections,
        overviews=overviews(sections, weeks),
        lines=list(_lines(rows, weeks, links, sections)),
        choices=[*State, LACKS, OVERTAKEN],
        links=links,
        overtaken=OVERTAKEN,
    )


def flags(row: Row) -> list[str]:
    """Say in words what stands out about a student."""
    found = [str(State.NOTHING)] if row.missing else []
    found += [str(State.UNCLEAR)] if row.unclear and not row.reports else []
    found += [f"{week_title(problem.week)} not graded" if problem.week else "not graded" for problem in row.problems]
    for week, report in row.reports.items():
        found += [f"{week_title(week)}: {flag}" for flag in _report_flags(report)]
    return found


def marks(report: Report) -> tuple[str, ...]:
    """Return what a week's result can be found by, beside its state."""
    return (*([LACKS] if report.counts and lacking(report) else []), *([OVERTAKEN] if report.overtaken else []))


def _report_flags(report: Report) -> list[str]:
    overtaken = [OVERTAKEN] if report.overtaken else []
    if report.excused:  # whatever else there is to say counts nothing
        return ["excused", *overtaken]
    found = ["provisional"] if report.provisional else []
    found += dict.fromkeys(_KINDS.get(line.kind, line.kind) for line in report.adjustments)
    found += overtaken
    found += [f"lacks {file}" for file in lacking(report)]
    if any(note.startswith(CHANGED) for note in report.notes):
        found.append("edited protected files")
    outcomes = Counter(check.outcome for check in report.checks)
    if outcomes[Outcome.TODO] and set(outcomes) <= {Outcome.TODO, Outcome.SKIPPED}:
        found.append("not started")
    for outcome, name in _NOTABLE.items():
        if outcomes[outcome]:
            found.append(name if outcomes[outcome] == 1 else f"{name} ×{outcomes[outcome]}")
    return found


def _lines(rows: Sequence[Row], weeks: Sequence[str], links: Links, sections: Sequence[Section]) -> Iterator[Line]:
    places = {section.name: place for place, section in enumerate(sections) if not section.is_whole}
    for row in rows:
        place = places.get(section_name(row.person), 0)
        yield Line(
            student=row.student,
            id=links.row(row.student),
            href=links.latest(row.student),
            person=row.person,
            place=place,
            section=sections[place].title if sections[place].name else "",
            mail=f"mailto:{quote(row.person.email, safe='@', errors='backslashreplace')}" if row.person.email else "",
            also=_also(row.person),
            cells=tuple(_cell(row, week, links) for week in weeks),
            total=row.total,
            flags=tuple(flags(row)),
            is_double=row.is_double,
        )


def _also(person: Person) -> str:
    """Return all names, numbers and addresses that a person is known by and the table does not show."""
    shown = {person.name, person.id, person.email}
    return " ".join(dict.fromkeys(value for _, value in person.marks if value not in shown))


def _cell(row: Row, week: str, links: Links) -> Cell:
    report, state = row.reports.get(week), row.state(week)
    if report is None:
        return Cell(week, state, text=_UNSCORED.get(state, ""))
    is_bare = report.by_hand and report.provisional and state is not State.PROVISIONAL
    text = "excused" if report.excused else _UNSCORED.get(state, "none") if is_bare else ""
    return Cell(
        week,
        state,
        marks=marks(report),
        score=None if text else report.score,
        href=links.report(row.student, week),
        code=links.teacher(row.student, week),
        final=row.final(week) is not None,
        text=text,
    )
