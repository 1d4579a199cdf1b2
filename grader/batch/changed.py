"""Says which grades of earlier runs a run has changed, so that none changes without a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.gradebook import Gradebook
from grader.gradebook.changes import changes
from grader.results import Report

MOST_SAID = 8  # students' weeks; `diff` names the others
MOST_REASONS = 3


class Before:
    """The grades of a gradebook before a run."""

    def __init__(self, book: Gradebook) -> None:
        self._reports = book.overview() if book.has_attempts() else []
        self._keys = {person.name: person.key for person in book.people()} if self._reports else {}

    def changed(self, book: Gradebook, after: Sequence[Report]) -> list[str]:
        """Return a line for each grade that is another one now, with reasons; who is new has no grade before."""
        if not self._reports:
            return []
        names = {person.key: person.name for person in book.people()}
        before = [
            replace(report, student=names[key])
            for report in self._reports
            if (key := self._keys.get(report.student)) in names
        ]
        return _cut(list(changes(before, after, both=False)))


def _cut(lines: Sequence[str]) -> list[str]:
    grades: list[list[str]] = []
    for line in lines:
        if line.startswith(" "):
            grades[-1].append(line.strip())
        else:
            grades.append([line])
    more = len(grades) - MOST_SAID
    said = [f"grade changed: {'; '.join([head, *why[:MOST_REASONS]])}" for head, *why in grades[:MOST_SAID]]
    return said + ([f"grade changed: {more} more; `python -m grader diff` names all"] if more > 0 else [])
