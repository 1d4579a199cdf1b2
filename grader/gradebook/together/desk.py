"""Keeps who looks after whom, who is done with what, what students ask to have looked at again, and phrases."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grader.gradebook.database import texts
from grader.gradebook.together.actions import Actions

MOST_PHRASES = 200


class RequestState(StrEnum):
    """What became of a request."""

    OPEN = "open"
    CHANGED = "changed"
    KEPT = "kept"


@dataclass(frozen=True)
class Request:
    """A student's request to have something graded again; `task` is empty where it is about the week."""

    id: int
    person: int
    week: str
    task: str
    text: str
    asked: str
    state: RequestState
    answer: str
    who: str
    at: str
    edition: int


@dataclass(frozen=True)
class Phrase:
    """A text of comments for reuse; `shortcut` is a digit that writes it, or empty."""

    id: int
    week: str
    task: str
    text: str
    shortcut: str
    uses: int


class Together(Actions):
    """What those who grade share."""

    def assigned(self) -> dict[tuple[int, str], str]:
        """Return who looks after each student's week, by the student's key and week."""
        return {(person, week): who for person, week, who in self.rows("SELECT person, week, who FROM assigned")}

    def looked(self) -> dict[tuple[int, str], tuple[str, str, int]]:
        """Return who was done with each student's week, when, and with which attempt."""
        rows = self.rows("SELECT person, week, who, at, attempt FROM looked")
        return {(person, week): (who, at, attempt) for person, week, who, at, attempt in rows}

    def requests(self) -> list[Request]:
        """Return all requests, the open ones first, then the newest."""
        rows = self.rows(
            "SELECT id, person, week, task, text, asked, state, answer, who, at, edition FROM requests "
            "ORDER BY state != 'open', id DESC"
        )
        return [_request(*row) for row in rows]

    def phrases(self, week: str, task: str = "") -> list[Phrase]:
        """Return phrases for a task, then those of its week, then all others; each kind by how often it was used.

        Those with a shortcut of their own are first.
        """
        rows = self.rows(
            "SELECT id, week, task, text, shortcut, uses FROM phrases "
            "ORDER BY shortcut != '' DESC, (week = ? AND task = ?) DESC, week = ? DESC, uses DESC, id DESC LIMIT ?",
            *texts(week, task, week), MOST_PHRASES,
        )  # fmt: skip
        return [Phrase(*row) for row in rows]

    def all_phrases(self) -> list[Phrase]:
        """Return all phrases, those with a shortcut first, then those that are used most."""
        rows = self.rows(
            "SELECT id, week, task, text, shortcut, uses FROM phrases "
            "ORDER BY shortcut = '', shortcut, uses DESC, id DESC"
        )
        return [Phrase(*row) for row in rows]


def _request(
    number: int, person: int, week: str, task: str, text: str, asked: str, state: str, answer: str, who: str, at: str,
    edition: int,
) -> Request:  # fmt: skip
    return Request(number, person, week, task, text, asked, RequestState(state), answer, who, at, edition)
