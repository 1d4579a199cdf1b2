"""Tells open pages what is new: how far a run is, its newest results, and that what they show has changed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from grader.desk.model.snapshot import Snapshot
from grader.escape import plain
from grader.gradebook.together.claim import is_taken
from grader.language import counting, decimal

SECONDS = 0.5  # between looks at the gradebook
HEARTBEAT = 15.0  # seconds after which a silent line is used, so that nobody takes it for broken
NEWEST = 8
LONGEST = 160  # characters of what could not be graded


class Live:
    """Watches a gradebook, and tells every page that listens."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._listeners: set[asyncio.Event] = set()
        self._last = self.news()
        self._closed = False

    def news(self) -> dict[str, Any]:
        """Say what a page shows live."""
        book = self._snapshot.book
        running, progress = self._is_running(), book.progress()
        return {
            "revision": self._snapshot.revision,
            "running": running,
            "stopped": progress is not None and not running,  # killed, or this machine went down
            "total": progress.total if progress else 0,
            "done": progress.done if progress else 0,
            "newest": self._newest() if progress else [],
            "trouble": self._trouble() if progress else [],
        }

    def _is_running(self) -> bool:
        """Tell whether a run has the gradebook; the desk itself takes it for moments, which are no runs."""
        return is_taken(self._snapshot.book.path.parent) and not self._snapshot.writing

    async def watch(self) -> None:
        """Look again and again, until it is cancelled."""
        while True:
            await asyncio.sleep(SECONDS)
            with contextlib.suppress(Exception):  # a gradebook that cannot be read just now is read next time
                self._snapshot.refresh()
                news = self.news()
                if news != self._last:
                    self._last = news
                    self.tell()

    def tell(self) -> None:
        """Wake every page that listens."""
        for event in self._listeners:
            event.set()

    def close(self) -> None:
        """End all lines."""
        self._closed = True
        self.tell()

    async def lines(self) -> AsyncIterator[str]:
        """Yield events, one for each change, from now on."""
        event = asyncio.Event()
        self._listeners.add(event)
        try:
            yield f"data: {json.dumps(self._last)}\n\n"
            while not self._closed:
                try:
                    await asyncio.wait_for(event.wait(), HEARTBEAT)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                event.clear()
                yield f"data: {json.dumps(self.news())}\n\n"
        finally:
            self._listeners.discard(event)

    def _trouble(self) -> list[dict[str, Any]]:
        """Return what could not be graded, the last of it first."""
        found = []
        for one in self._snapshot.problems[::-1][:NEWEST]:
            person, week = self._snapshot.key_of.get(one.student, 0), one.week or ""
            said = plain(one.message.removeprefix(f"{one.student}: ")).partition("\n")[0][:LONGEST]
            found.append({"person": person, "week": week, "name": plain(one.student), "says": said})
        return found

    def _newest(self) -> list[dict[str, Any]]:
        attempts = self._snapshot.attempts
        found = []
        for key in sorted(attempts, key=lambda key: -attempts[key])[:NEWEST]:
            report = self._snapshot.reports.get(key)
            if report is not None:
                person, week = key
                name = plain(report.student)
                with counting(report.language):
                    most = "" if report.excused else f" of {decimal(report.max_score)}"
                    grade = f"{decimal(report.grade)}{most}"
                found.append({"person": person, "week": week, "name": name, "grade": grade})
        return found
