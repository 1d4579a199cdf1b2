"""Writes all that the gradebook holds as CSV or JSON: a line for each check of each student's week."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence

from grader.escape import csv_cell
from grader.people.person import Person
from grader.results import WEEK, Report

_HEADER = ("student", "week", "task", "check", "hidden", "outcome", "points", "max_points", "seconds", "id", "email")


def checks_csv(reports: Sequence[Report], people: Mapping[str, Person] | None = None) -> str:
    """Return a line for each check; after a week's checks, one for each change and manual part, with its kind.

    The last one of a week says whether it is excused, or provisional.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADER)
    for report in reports:
        who = (csv_cell(report.student), csv_cell(report.week))
        person = (people or {}).get(report.student)
        marks = (csv_cell(person.id), csv_cell(person.email)) if person else ("", "")
        for c in report.checks:
            hidden = "yes" if c.hidden else "no"
            seconds = f"{c.seconds:.3f}"
            writer.writerow(
                (*who, c.task, csv_cell(c.title), hidden, c.outcome, c.points, c.max_points, seconds, *marks)
            )
        for line in report.adjustments:
            writer.writerow((*who, line.task, csv_cell(line.what), "no", line.kind, line.points, "", "", *marks))
        for part in report.manual:
            kind = "waiting" if part.points is None else "manual"
            writer.writerow(
                (*who, part.name, csv_cell(part.title), "no", kind, part.points, part.max_points, "", *marks)
            )
        if report.final is None:
            kind = "excused" if report.excused else "provisional"
            writer.writerow((*who, WEEK, csv_cell(report.excused), "no", kind, "", "", "", *marks))
    return out.getvalue()


def everything_json(reports: Sequence[Report], people: Mapping[str, Person] | None = None) -> str:
    """Return a list of reports as in report.json, but with how hidden checks crashed: this is for those who grade.

    Each has the student's id, e-mail, login, section and group beside it.
    """
    known = people or {}
    whole = [report.to_dict() | _who(known.get(report.student)) for report in reports]
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _who(person: Person | None) -> dict[str, object]:
    if person is None:
        return {}
    names = ("id", "email", "login", "section", "group")
    return {"person": {name: getattr(person, name) for name in names if getattr(person, name)}}
