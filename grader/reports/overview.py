"""Gathers what the class page shows of some students: what needs a look, who is missing, and figures week by week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.people.matching import questions
from grader.people.person import Person
from grader.reports.failures import (
    CommonFailure,
    HiddenFinding,
    Slow,
    commonest_failures,
    hidden_findings,
    lacking,
    slowest_checks,
)
from grader.reports.figures import Row, State, WeekFigures, by_name, week_figures
from grader.reports.items import Item, item_figures
from grader.reports.sections import Section
from grader.reports.terminal import waiting_lines

_OVERTAKEN = "decided about earlier work, and newer work would score more; it stays until somebody decides again"


@dataclass(frozen=True)
class Look:
    """A student to look at, maybe in one week."""

    student: str
    week: str


@dataclass(frozen=True)
class WeekView:
    """All that is shown of one week: how many are in which state, how many handed in, who did not, and the figures."""

    figures: WeekFigures
    states: Mapping[State, int]
    handed_in: int
    missing: tuple[str, ...]
    items: tuple[Item, ...]
    failures: tuple[CommonFailure, ...]
    hidden: tuple[HiddenFinding, ...]
    slow: tuple[Slow, ...]

    @property
    def week(self) -> str:
        return self.figures.week


@dataclass(frozen=True)
class Overview:
    """All figures of a section. `parts` are the sections that it is divided into, each with its weeks' figures."""

    section: Section
    weeks: tuple[WeekView, ...]
    parts: tuple[tuple[Section, tuple[WeekView, ...]], ...]
    looks: Mapping[str, tuple[Look, ...]]
    waiting: tuple[str, ...]
    missing: tuple[str, ...]
    strangers: tuple[str, ...]
    unclear: tuple[tuple[str, tuple[str, ...]], ...]
    gone: tuple[Person, ...]


def overviews(sections: Sequence[Section], weeks: Sequence[str]) -> list[Overview]:
    """Return the overview of each section; the first is the whole class, which the others are parts of."""
    views = [(section, tuple(_week(section.rows, week) for week in weeks)) for section in sections]
    whole, parts = sections[0], tuple(views[1:])
    unclear = [(person, tuple(other.name for other in others)) for person, others in questions(whole.people)]
    has_roster = any(person.listed for person in whole.people)
    return [
        Overview(
            section=section,
            weeks=view,
            parts=parts if section.is_whole else (),
            looks=looks(section.rows),
            waiting=tuple(waiting_lines([report for row in section.rows for report in row.reports.values()])),
            missing=tuple(row.student for row in section.rows if row.missing),
            strangers=tuple(
                row.student for row in section.rows if has_roster and not row.person.listed and not row.is_double
            ),
            unclear=tuple((person.name, names) for person, names in unclear if person in section.people),
            gone=tuple(sorted((one for one in section.people if one.lost), key=lambda one: by_name(one.name))),
        )
        for section, view in views
    ]


def looks(rows: Iterable[Row]) -> dict[str, tuple[Look, ...]]:
    """Group what needs a look by the reason for it: one broken check can hit a whole class."""
    found: dict[str, list[Look]] = {}
    for row in rows:
        for week, report in row.reports.items():
            reasons = [f"provisional, {check.id}: {check.message}" for check in report.broken if not report.excused]
            reasons += [f"lacks {', '.join(files)}" for files in [lacking(report)] if files and report.counts]
            reasons += [_OVERTAKEN] if report.overtaken else []
            for reason in reasons:
                found.setdefault(reason, []).append(Look(row.student, week))
        for problem in row.problems:
            found.setdefault(f"not graded, {problem.message}", []).append(Look(row.student, problem.week or ""))
    return {reason: tuple(students) for reason, students in found.items()}


def _week(rows: Sequence[Row], week: str) -> WeekView:
    reports = [row.reports[week] for row in rows if week in row.reports]
    states = Counter(row.state(week) for row in rows)
    return WeekView(
        figures=week_figures(rows, week),
        states=states,
        handed_in=sum(row.handed_in(week) for row in rows),
        missing=tuple(row.student for row in rows if row.state(week) is State.NOTHING),
        items=tuple(item_figures(reports)),
        failures=tuple(commonest_failures(reports)),
        hidden=tuple(hidden_findings(reports)),
        slow=tuple(slowest_checks(reports)),
    )
