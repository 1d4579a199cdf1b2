"""Reads what Gradescope says of a submission: whose it is, when it came and was due, and the attempts before it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.course import Assignment
from grader.intake.lateness import lateness, written
from grader.intake.layouts import Handed
from grader.language import decimal, tr
from grader.results import Delivery, Report, adjust
from grader.results.delivery import listed

FILE = "submission_metadata.json"


@dataclass(frozen=True)
class Metadata:
    """What is known of a submission; what the file does not tell is empty.

    `due` is the latest of what is granted to its students. `earlier` holds the scores of the attempts before this one,
    oldest first, None where the autograder failed.
    """

    names: tuple[str, ...] = ()
    at: datetime | None = None
    due: datetime | None = None
    earlier: tuple[float | None, ...] = ()


def read(file: Path) -> Metadata:
    """Read the file as far as it can be read: nobody loses a grade by a field that Gradescope has changed."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Metadata()
    users = [user for user in _list(data, "users") if isinstance(user, dict)]
    return Metadata(
        names=tuple(str(user["name"]) for user in users if user.get("name")),
        at=_time(data, "created_at"),
        due=_due(data, users),
        earlier=tuple(_score(one) for one in _list(data, "previous_submissions")),
    )


def noted(report: Report, assignment: Assignment, told: Metadata, files: tuple[str, ...]) -> Report:
    """Return the report with what the host tells: delivery, and what lateness costs by the week's own rule."""
    handed = Handed(report.student, assignment.folder, at=told.at)
    due = told.due or assignment.due
    delivery = Delivery(
        files=listed(files),
        version=len(told.earlier) + 1,
        at=written(told.at, assignment) if told.at else "",
        due=written(due, assignment) if due else "",
        members=told.names if len(told.names) > 1 else (),
    )
    return replace(adjust(report, (), lateness(assignment, handed, told.due)), delivery=delivery)


def attempt_lines(score: float, told: Metadata) -> Iterator[str]:
    """Say which attempt it is, what the latest ones gave, and that the best one may not be the one that counts."""
    if not told.earlier:
        return
    yield tr(
        "This is attempt {number}. Before: {earlier}.", number=len(told.earlier) + 1, earlier=_list_of(told.earlier)
    )
    known = [(given, number) for number, given in enumerate(told.earlier, 1) if given is not None]
    best, number = max(known, default=(-math.inf, 0), key=lambda one: one[0])
    if best > score:
        yield tr(
            "Attempt {number} gave more, {points} points. Gradescope counts the active submission, which you choose "
            "under Submission History.",
            number=number, points=decimal(f"{best:g}"),
        )  # fmt: skip


def _list_of(earlier: tuple[float | None, ...], most: int = 5) -> str:
    latest = list(enumerate(earlier, 1))[-most:]
    words = [
        tr(
            "{points} (attempt {number})",
            points=tr("no score") if given is None else decimal(f"{given:g}"),
            number=number,
        )
        for number, given in latest
    ]
    return ("…, " if len(earlier) > most else "") + ", ".join(words)


def _due(data: Any, users: list[dict[str, Any]]) -> datetime | None:
    """Return when it is due: by a student's own date, where somebody has one, else by the assignment's."""
    own = [due for user in users if (due := _time(user.get("assignment"), "due_date"))]
    return max(own, default=_time(_get(data, "assignment"), "due_date"))


def _time(data: Any, name: str) -> datetime | None:
    try:
        told = datetime.fromisoformat(str(_get(data, name)))
    except ValueError:
        return None
    return told if told.tzinfo else None


def _score(attempt: Any) -> float | None:
    if _get(attempt, "autograder_error"):
        return None
    try:
        score = float(_get(attempt, "score"))
    except (TypeError, ValueError):
        return None
    return score if math.isfinite(score) else None


def _list(data: Any, name: str) -> list[Any]:
    found = _get(data, name)
    return found if isinstance(found, list) else []


def _get(data: Any, name: str) -> Any:
    return data.get(name) if isinstance(data, Mapping) else None
