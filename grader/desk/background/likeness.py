"""Finds alike works of a week in the background, and keeps what was found until there are new attempts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from grader.course import Course
from grader.desk.model.snapshot import Snapshot
from grader.errors import GraderError
from grader.people.naming import same_name
from grader.results import Report
from grader.similarity.compare import Pair, Work, similar_pairs, text_of
from grader.similarity.tokens import rest
from grader.similarity.works import handout

LEAST, MOST = 0.5, 200


@dataclass
class Found:
    """What a comparison found; `problem` says why there is none."""

    attempted: int
    pairs: list[Pair] = field(default_factory=list)
    problem: str = ""
    running: bool = True


class Likeness:
    """Compares the works of a week when somebody asks for it."""

    def __init__(self, snapshot: Snapshot, course: Course | None) -> None:
        self._snapshot = snapshot
        self._course = course
        self._found: dict[str, Found] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, week: str) -> Found | None:
        """Return what was found in a week, or what goes on; None where nobody has asked yet."""
        return self._found.get(week)

    def start(self, week: str) -> None:
        """Compare the works of a week, unless that goes on already."""
        known = self._found.get(week)
        if known is not None and known.running:
            return
        found = self._found[week] = Found(self._snapshot.attempted)
        works = self._works(week)
        task = asyncio.get_running_loop().create_task(self._compare(week, works, found))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _compare(self, week: str, works: list[Work], found: Found) -> None:
        skeleton = ""
        if self._course is not None and week in self._course.assignments():
            skeleton = handout(self._course.assignment(week))
        try:
            found.pairs = (await asyncio.to_thread(_pairs, works, skeleton))[:MOST]
        except GraderError as error:
            found.problem = str(error)
        found.running = False

    def _works(self, week: str) -> list[Work]:
        found: dict[object, tuple[Report, list[str]]] = {}
        for (person, own), report in self._snapshot.reports.items():
            if own == week and report.submission:
                group = self._snapshot.people[person].group
                key = (same_name(group), report.submission) if group else person
                found.setdefault(key, (report, []))[1].append(report.student)
        works = []
        for report, names in found.values():
            try:
                files = self._snapshot.book.raw_sources(report.submission)
            except GraderError:  # those of one work that are damaged keep nobody from comparing the others
                continue
            if files:
                works.append(Work(", ".join(names), week, text_of(files), tuple(names)))
        return works


def _pairs(works: list[Work], skeleton: str) -> list[Pair]:
    try:
        return similar_pairs(works, skeleton, LEAST)
    finally:
        rest()
