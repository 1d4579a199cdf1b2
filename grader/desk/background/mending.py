"""Writes reports and the class page after what was done at the desk, when no run has the gradebook for itself.

The gradebook knows which reports do not show yet what was decided, so a desk that is killed leaves nothing behind: the
next desk, or the next run, writes them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from grader.batch.pages import report_folder, write_class
from grader.desk.model.snapshot import Snapshot
from grader.errors import GraderError
from grader.gradebook import Gradebook, open_book
from grader.gradebook.together.claim import Claim, Taken
from grader.reports.pages import outdate, remove_report, write_report
from grader.results import Report

SECONDS = 1.0
QUIET = 20.0  # seconds without a change before the class page is written, which takes a while in a large class
BREATH = 0.02  # seconds between two reports

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Step:
    """A report that is to be written, or removed where nothing is left of it, and the state of the class it is of."""

    student: str
    week: str
    folder: Path
    report: Report | None
    changes: int
    revision: int

    def write(self) -> None:
        outdate(self.folder)
        if self.report is not None:
            write_report(self.report, self.folder)
        else:
            remove_report(self.folder)


class Mending:
    """Keeps what lies in the folder in step with the gradebook."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._book: Gradebook = snapshot.book
        self._out: Path = snapshot.book.path.parent
        self._shown = snapshot.revision  # by the class page
        self._seen, self._quiet = snapshot.revision, 0.0

    async def go_on(self) -> None:
        """Write what has to be written, again and again, until it is cancelled; pages are answered in between."""
        while True:
            await asyncio.sleep(SECONDS)
            try:
                for key in self._book.stale():
                    if not await self._write_aside(*key):
                        break
                    await asyncio.sleep(BREATH)
                await self._write_class()
            except (GraderError, OSError) as error:
                _log.warning("pages could not be written, and will be tried again: %s", error)

    def finish(self) -> None:
        """Write all that is left, at the end of the desk; what a run keeps from us it writes itself."""
        written = [self._write(*key) for key in self._book.stale()]
        if all(written) and self._shown != self._snapshot.revision:
            write_class(self._book, self._out)

    def _write(self, student: str, week: str) -> bool:
        """Write one report, or remove it where nothing is left of it; False where a run has the gradebook."""
        try:
            claim = Claim(self._out, patience=0)
        except Taken:
            return False
        try:
            step = self._step(student, week)
            step.write()
            self._end(step)
        finally:
            claim.let_go()
        return True

    async def _write_aside(self, student: str, week: str) -> bool:
        """Write one report as `_write` does, in a thread, so that no page waits for it."""
        try:
            claim = Claim(self._out, patience=0)
        except Taken:
            return False
        self._snapshot.writing = True
        try:
            step = self._step(student, week)
            writing = asyncio.ensure_future(asyncio.to_thread(step.write))
            try:
                await asyncio.shield(writing)
            except asyncio.CancelledError:
                await writing
                raise
            self._end(step)
        finally:
            claim.let_go()
            self._snapshot.writing = False
        return True

    def _step(self, student: str, week: str) -> _Step:
        changes, folder = self._book.changes, report_folder(self._book, self._out, student, week)
        self._snapshot.refresh()
        report = self._snapshot.full((self._snapshot.key_of[student], week))
        return _Step(student, week, folder, report, changes, self._snapshot.revision)

    def _end(self, step: _Step) -> None:
        """Note that a report is as it should be, unless somebody has decided something else meanwhile."""
        if (self._book.changes, self._snapshot.revision) == (step.changes, step.revision):
            self._book.forget_stale(step.student, step.week)

    async def _write_class(self) -> None:
        if self._seen != self._snapshot.revision:
            self._seen, self._quiet = self._snapshot.revision, 0.0
            return
        self._quiet += SECONDS
        if self._quiet >= QUIET and self._shown != self._seen:
            self._quiet = 0.0
            if await _write_class_elsewhere(self._out):
                self._shown = self._seen


async def _write_class_elsewhere(out: Path) -> bool:
    """Write the class page in a process of its own, so that no page waits for it; tell if that went well."""
    command = (sys.executable, "-P", "-m", __name__, str(out.resolve()))
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, env=_own_path())
    try:
        return await process.wait() == 0
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise


def _own_path() -> dict[str, str]:
    """Return an environment in which the same grader is found, however this one was."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


if __name__ == "__main__":
    os.nice(10)
    with open_book(Path(sys.argv[1]), shared=True) as opened:
        write_class(opened, Path(sys.argv[1]))
