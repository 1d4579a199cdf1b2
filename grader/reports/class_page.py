"""Writes the class page, index.html: figures, what needs a look, and a table that sorts and filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from grader.course.protected import CHANGED
from grader.files import write_atomically
from grader.gradebook import Problem
from grader.people.matching import questions
from grader.people.naming import safe_name
from grader.people.person import Person
from grader.reports.figures import (
    CommonFailure,
    HiddenFinding,
    Row,
    Slow,
    State,
    class_rows,
    class_weeks,
    commonest_failures,
    hidden_findings,
    slowest_checks,
    week_figures,
)
from grader.reports.pages import render_page
from grader.reports.terminal import waiting_lines
from grader.reports.words import week_title
from grader.results import Outcome, Report

# Outcomes that a teacher may want to know about, whatever the score; several of one kind are counted.
_KINDS = {"override": "overridden", "missing": "counts as zero"}
_NOTABLE = {Outcome.TIMEOUT: "timeout", Outcome.MEMORY: "out of memory", Outcome.KILLED: "killed"}


@dataclass(frozen=True)
class Cell:
    """One student's week: the score, where its report lies, and whether it may still change.

    `text` stands in place of a score that counts nothing, or that nobody has given.
    """

    score: int
    href: str
    final: bool
    text: str = ""


@dataclass(frozen=True)
class Line:
    """One student as the table shows them; `cells` has None for a week without a report."""

    student: str
    cells: tuple[Cell | None, ...]
    total: int | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """A student's week without a final grade; `href` is empty where there is no report to open."""

    student: str
    week: str
    href: str = ""


def write_class_page(
    reports: Iterable[Report], problems: Iterable[Problem], folder: Path, people: Sequence[Person] = ()
) -> None:
    """Write index.html into `folder`; `people` has the folders of their reports below `students/`."""
    write_atomically(folder / "index.html", class_page_html(reports, problems, people))


def class_page_html(reports: Iterable[Report], problems: Iterable[Problem], people: Sequence[Person] = ()) -> str:
    """Return the class page as HTML; `people` are all that the gradebook knows, with those on the roster."""
    rows = class_rows(reports, problems, people)
    weeks = class_weeks(rows)
    folders = {person.name: person.folder for person in people}

    def folder_of(student: str) -> str:
        return folders.get(student) or safe_name(student)

    return render_page(
        "index.html.j2",
        script="index.js",
        weeks=weeks,
        figures=[week_figures(rows, week) for week in weeks],
        trouble={week: _trouble(rows, week) for week in weeks},
        missing=[row.student for row in rows if row.missing],
        strangers=_strangers(rows),
        gone=[person.lost for person in people if person.lost],
        unclear=[(person.name, [other.name for other in others]) for person, others in questions(people)],
        lines=[_line(row, weeks, folder_of(row.student)) for row in rows],
        looks=_looks(rows, folder_of),
        waiting=waiting_lines([report for row in rows for report in row.reports.values()]),
    )


def _strangers(rows: Sequence[Row]) -> list[str]:
    """Name those who handed something in and are not on the roster, where there is one."""
    has_roster = any(row.person.listed for row in rows)
    return [row.student for row in rows if has_roster and not row.person.listed]


def _trouble(rows: Iterable[Row], week: str) -> tuple[list[CommonFailure], list[HiddenFinding], list[Slow]]:
    reports = [row.reports[week] for row in rows if week in row.reports]
    return commonest_failures(reports), hidden_findings(reports), slowest_checks(reports)


def flags(row: Row) -> list[str]:
    """Say in words what stands out about a student."""
    found = [f"Section {row.section}"] if row.section else []
    found += [str(State.NOTHING)] if row.missing else []
    found += [str(State.UNCLEAR)] if row.unclear and not row.reports else []
    found += [f"{week_title(problem.week)} not graded" if problem.week else "not graded" for problem in row.problems]
    for week, report in row.reports.items():
        found += [f"{week_title(week)}: {flag}" for flag in _report_flags(report)]
    return found


def _report_flags(report: Report) -> list[str]:
    found = ["excused"] if report.excused else ["provisional"] if report.provisional else []
    found += dict.fromkeys(_KINDS.get(line.kind, line.kind) for line in report.adjustments)
    if any(note.startswith(CHANGED) for note in report.notes):
        found.append("edited protected files")
    outcomes = Counter(check.outcome for check in report.checks)
    if outcomes[Outcome.TODO] and set(outcomes) <= {Outcome.TODO, Outcome.SKIPPED}:
        found.append("not started")
    for outcome, name in _NOTABLE.items():
        if outcomes[outcome]:
            found.append(name if outcomes[outcome] == 1 else f"{name} ×{outcomes[outcome]}")
    return found


def _line(row: Row, weeks: Sequence[str], folder: str) -> Line:
    cells = (_cell(row, week, folder) for week in weeks)
    return Line(row.student, tuple(cells), row.total, tuple(flags(row)))


def _cell(row: Row, week: str, folder: str) -> Cell | None:
    report = row.reports.get(week)
    if report is None:
        return None
    unscored = report.by_hand and report.provisional and row.state(week) is not State.PROVISIONAL
    text = "excused" if report.excused else "none" if unscored else ""
    return Cell(report.score, _href(folder, week), row.final(week) is not None, text)


def _looks(rows: Iterable[Row], folder_of: Callable[[str], str]) -> dict[str, list[Look]]:
    """Group weeks without a final grade by the reason for it: one broken check can hit a whole class."""
    found: dict[str, list[Look]] = {}
    for row in rows:
        for week, report in row.reports.items():
            for check in report.broken:
                look = Look(row.student, week, _href(folder_of(row.student), week))
                found.setdefault(f"provisional, {check.id}: {check.message}", []).append(look)
        for problem in row.problems:
            found.setdefault(f"not graded, {problem.message}", []).append(Look(row.student, problem.week or ""))
    return found


def _href(folder: str, week: str) -> str:
    # A character that UTF-8 cannot hold must not stop the page; safe folder names have none.
    return quote(f"students/{folder}/{week}/report.html", errors="backslashreplace")
