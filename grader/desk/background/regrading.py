"""Grades students' weeks again, from the modules that the gradebook keeps, by the judges that `batch` has, too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

from grader.batch.backend import Backend
from grader.course import Course
from grader.desk.background.live import Live
from grader.desk.model.snapshot import Key, Snapshot
from grader.errors import GraderError, UsageError
from grader.intake.collect import digest_of
from grader.judging.job import Job, Ungraded
from grader.results import Report

ENDING = 15.0  # seconds that judges have to end when the desk is closed
WAITING, RUNNING = "waits to be graded again", "is being graded again"


class Regrading:
    """A queue of works that wait to be graded again. Judges are started when there is something to do."""

    def __init__(self, snapshot: Snapshot, live: Live, course: Course, backend: Callable[[], Backend]) -> None:
        self._snapshot = snapshot
        self._live = live
        self._course = course
        self._backend = backend
        self._waiting: dict[Key, Job] = {}
        self._running: dict[Key, Job] = {}
        self._failed: dict[Key, str] = {}
        self._asked: dict[Key, str] = {}  # who asked
        self._task: asyncio.Task[None] | None = None
        self._judges: Backend | None = None
        self._closed = False

    def state(self, key: Key) -> str:
        """Say what becomes of a student's week just now; empty where nothing does."""
        if key in self._running:
            return RUNNING
        return WAITING if key in self._waiting else self._failed.get(key, "")

    def refusal(self, key: Key) -> str:
        """Say why a student's week cannot be graded again from here; empty where it can."""
        report = self._snapshot.reports.get(key)
        if report is None or not report.submission:
            return "nothing was graded here yet"
        if key[1] not in self._course.assignments():
            return f"the course has no {key[1]}"
        try:
            files = self._snapshot.book.raw_sources(report.submission)
        except GraderError:
            return "the work's modules are damaged in the gradebook: `batch --regrade` keeps them anew"
        if digest_of(files) != report.submission:
            return "the gradebook holds the work's modules and not all of its files: `batch --regrade` grades it again"
        return ""

    def start(self, key: Key, who: str, check: str = "") -> str:
        """Have a student's week graded again, or one check of it; return a line that says so."""
        if refusal := self.refusal(key):
            raise UsageError(refusal)
        self._failed.pop(key, None)
        self._waiting[key] = self._job(key, check)
        self._asked[key] = who
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())
        said = f"{self._snapshot.people[key[0]].name}, {key[1]}: {'one check' if check else 'the week'} {WAITING}"
        with self._snapshot.book.changing(who) as change:
            change.note(said, *key, always=True)
        return said

    async def close(self) -> list[str]:
        """End the judges; log what was promised and is not done, and return lines that say so."""
        self._closed = True
        if self._judges is not None:
            self._judges.close()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=ENDING)
            self._task.cancel()
        undone = [*self._running, *self._waiting]
        self._running, self._waiting = {}, {}  # a result that comes after all is dropped
        return [self._leave(key) for key in undone]

    def _leave(self, key: Key) -> str:
        said = f"{self._snapshot.people[key[0]].name}, {key[1]}: not graded again, as the desk was closed before"
        with self._snapshot.book.changing(self._asked[key]) as change:
            change.note(said, *key, always=True)
        return said

    def _job(self, key: Key, check: str) -> Job:
        attempt = self._snapshot.attempts[key]
        ((_, _, report),) = [one for one in self._snapshot.earlier(key) if one[0] == attempt]
        files = self._snapshot.book.raw_sources(report.submission)
        name = self._snapshot.people[key[0]].name
        job = Job(name, key[1], files, report.submission, report.notes, report.seed)
        same = report.assignment == self._course.assignment(key[1]).digest
        if check and same:
            return replace(job, kept=tuple(one for one in report.checks if one.id != check and not one.is_broken))
        return job

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and not self._closed:
            self._running, self._waiting = self._waiting, {}
            self._live.tell()
            try:
                await asyncio.to_thread(
                    self._grade, [*self._running.values()], lambda done: loop.call_soon_threadsafe(self._record, done)
                )
            except GraderError as error:
                self._failed |= dict.fromkeys(self._running, f"could not be graded again: {error}")
            await asyncio.sleep(0)  # the last result is recorded first
            if self._closed:
                return
            self._running = {}
            self._live.tell()

    def _grade(self, jobs: list[Job], tell: Callable[[Report | Ungraded], object]) -> None:
        """Grade in a thread of its own; what touches the gradebook happens in the server's."""
        weeks = sorted({job.week for job in jobs})
        with closing(self._backend()) as backend:
            self._judges = backend
            if self._closed:  # while they were looked for
                return
            with closing(backend.run(_each(jobs), weeks)) as results:
                for done in results:
                    tell(done)

    def _record(self, done: Report | Ungraded) -> None:
        student, week = (done.job.student, done.job.week) if isinstance(done, Ungraded) else (done.student, done.week)
        key = (self._snapshot.key_of[student], week)
        if self._closed and key not in self._running:
            return
        if isinstance(done, Ungraded):
            self._failed[key] = f"could not be graded again: {done.message}"
        else:
            with self._snapshot.book.transaction() as database:
                database.execute("INSERT OR IGNORE INTO stale VALUES (?, ?)", key)
            self._snapshot.book.record(done)
            self._snapshot.touch()
        self._running.pop(key, None)
        self._live.tell()


def _each(jobs: list[Job]) -> Iterator[Job]:
    yield from jobs
