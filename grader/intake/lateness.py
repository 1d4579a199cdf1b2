"""Tells how late a submission is, by its platform's word or time, the due date and an extension.

A day is a calendar day where the course is held: the same time of day, also where clocks are changed between. Where the
week names no time zone, its due date's offset may be that of several; the one that is best for the student counts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from grader.course import Assignment
from grader.intake.layouts import Handed
from grader.intake.tables.extensions import Days, Extension
from grader.people.identity import ANONYMOUS, CANVAS
from grader.results import Late

DAY = timedelta(days=1)
_SAY_LATE = (CANVAS, ANONYMOUS)  # platforms that write LATE, or nothing


def lateness(assignment: Assignment, handed: Handed | None, extension: Extension | None) -> Late | None:
    """Return how late a submission is; None where it is in time, or where nothing tells.

    A platform's `late` without a time costs one day, the least that it can be. With an extension that word does not
    count, since the platform does not know of the extension.
    """
    if handed is None:
        return None
    due = due_of(assignment, extension)
    if handed.at is not None and due is not None:
        if handed.at - due <= timedelta(minutes=assignment.late.grace_minutes):
            return None
        return _late(assignment, _days_begun(handed.at, due, _zones(assignment)))
    return _late(assignment, 1) if handed.late and extension is None else None


def untimed(assignments: Mapping[str, Assignment], handed: Iterable[tuple[str, Handed | None]]) -> dict[str, int]:
    """Count by week the works of which nothing tells whether they came late, where lateness would cost points."""
    found: Counter[str] = Counter()
    for week, one in handed:
        known = one is not None and (one.at is not None or (one.who is not None and one.who.platform in _SAY_LATE))
        if not known and assignments[week].due is not None and assignments[week].late.percent(1):
            found[week] += 1
    return dict(found)


def is_over(assignment: Assignment, extension: Extension | None, now: datetime) -> bool:
    """Tell whether the time to hand in is over; without a due date it is."""
    due = due_of(assignment, extension)
    return due is None or now - due > timedelta(minutes=assignment.late.grace_minutes)


def days_later(due: datetime, days: int, zones: Sequence[ZoneInfo]) -> datetime:
    """Return the same time of day so many calendar days later, in UTC: the latest of what it is in these time zones."""
    later = ((due.astimezone(zone) + days * DAY).astimezone(UTC) for zone in zones)  # added by the calendar
    return max(later, default=due.astimezone(UTC) + days * DAY)


def _zones(assignment: Assignment) -> Sequence[ZoneInfo]:
    """Return the time zone of a week, or all that its due date's offset may be of."""
    if assignment.zone is not None:
        return (assignment.zone,)
    due = assignment.due
    return () if due is None else _zones_at(due.astimezone(UTC), due.utcoffset())


@lru_cache(maxsize=64)
def _zones_at(time: datetime, offset: timedelta | None) -> Sequence[ZoneInfo]:
    # Nobody teaches in Antarctica, where a clock goes back by two hours.
    zones = (ZoneInfo(name) for name in sorted(available_timezones()) if not name.startswith("Antarctica/"))
    return [zone for zone in zones if time.astimezone(zone).utcoffset() == offset]


def _days_begun(at: datetime, due: datetime, zones: Sequence[ZoneInfo]) -> int:
    most = math.ceil((at - due) / DAY) + 1
    begun = (days for days in range(max(1, most - 2), most) if at <= days_later(due, days, zones))
    return next(begun, most)


def due_of(assignment: Assignment, extension: Extension | None) -> datetime | None:
    """Return when a submission has to be there, in UTC, where hours are hours whatever clocks show; None: no matter."""
    if isinstance(extension, datetime):
        return extension.astimezone(UTC)
    if assignment.due is None:
        return None
    if isinstance(extension, Days):
        return days_later(assignment.due, extension.count, _zones(assignment))
    return assignment.due.astimezone(UTC) + (extension or timedelta())


def written(at: datetime, assignment: Assignment) -> str:
    """Write a time as the clock shows it where the course is held, as far as its week tells."""
    zone = assignment.zone or (assignment.due.tzinfo if assignment.due else None) or at.tzinfo
    local = at.astimezone(zone)
    shown = local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")
    offset = local.strftime("%z")
    return f"{shown} (UTC{offset[:3]}:{offset[3:5]})"


def _late(assignment: Assignment, days: int) -> Late:
    return Late(days, assignment.late.percent(days))
