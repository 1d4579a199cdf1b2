"""Writes all that the gradebook holds as CSV or JSON: a line for each check of each student's week."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from grader.escape import csv_cell
from grader.results import Report

_HEADER = ("student", "week", "task", "check", "hidden", "outcome", "points", "max_points", "seconds")


def checks_csv(reports: Sequence[Report]) -> str:
    """Return a line for each check; overrides and lateness follow a week's checks, with their kind as the outcome."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADER)
    for report in reports:
        who = (csv_cell(report.student), csv_cell(report.week))
        for c in report.checks:
            hidden = "yes" if c.hidden else "no"
            seconds = f"{c.seconds:.3f}"
            writer.writerow((*who, c.task, csv_cell(c.title), hidden, c.outcome, c.points, c.max_points, seconds))
        for line in report.adjustments:
            kind = "override" if line.task else "late"
            writer.writerow((*who, line.task, csv_cell(line.what), "no", kind, line.points, "", ""))
    return out.getvalue()


def everything_json(reports: Sequence[Report]) -> str:
    """Return a list of reports as in report.json, but with how hidden checks crashed: this is for those who grade."""
    return json.dumps([report.to_dict() for report in reports], indent=2, ensure_ascii=False) + "\n"
