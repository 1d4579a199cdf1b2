"""Tells how late a submission is, by its platform's word or time, the due date and an extension."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from grader.course import Assignment
from grader.intake.layouts import Handed
from grader.results import Late

Extension = datetime | timedelta  # a new due date, or so much more time

DAY = timedelta(days=1)


def lateness(assignment: Assignment, handed: Handed | None, extension: Extension | None) -> Late | None:
    """Return how late a submission is; None where it is in time, or where nothing tells.

    A platform's `late` without a time costs one day, the least that it can be. With an extension that word does not
    count, since the platform does not know of the extension.
    """
    if handed is None:
        return None
    due = _due(assignment, extension)
    if handed.at is not None and due is not None:
        over = handed.at - due
        if over <= timedelta(minutes=assignment.late.grace_minutes):
            return None
        return _late(assignment, math.ceil(over / DAY))
    return _late(assignment, 1) if handed.late and extension is None else None


def _due(assignment: Assignment, extension: Extension | None) -> datetime | None:
    if isinstance(extension, datetime):
        return extension
    return assignment.due + (extension or timedelta()) if assignment.due else None


def _late(assignment: Assignment, days: int) -> Late:
    return Late(days, assignment.late.percent(days))
