"""Keeps in the gradebook what one run leaves for the next: seeds, digests of checks, refused entries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grader.gradebook.database import Database, texts

_PROGRESS = "progress"  # of the run that goes on, in `settings`


@dataclass(frozen=True)
class Progress:
    """How far a run is: works that it has to grade, those that it has graded, and those that it kept."""

    total: int
    done: int
    kept: int


class Runs(Database):
    """What later runs need to know of earlier ones, and the desk of the one that goes on."""

    def note_progress(self, total: int, kept: int) -> None:
        """Record how much a run has to do; none of it ends what was recorded."""
        with self.transaction() as database:
            (after,) = database.execute("SELECT coalesce(max(id), 0) FROM attempts").fetchone()
            text = json.dumps([total, kept, after]) if total else ""
            database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (_PROGRESS, text))

    def progress(self) -> Progress | None:
        """Return how far the run is that goes on, as far as one does."""
        rows = self.rows("SELECT value FROM settings WHERE name = ?", _PROGRESS)
        if not rows or not rows[0][0]:
            return None
        total, kept, after = json.loads(rows[0][0])
        ((done,),) = self.rows("SELECT count(*) FROM attempts WHERE id > ?", after)
        return Progress(total, min(done, total), kept)

    def begin_run(self, week: str, seed: int) -> int:
        """Record that a run over a week begins with this seed; return that of one which has not ended, if there is."""
        with self.transaction() as database:
            database.execute("INSERT OR IGNORE INTO runs VALUES (?, ?)", texts(week, seed))
        return int(self.rows("SELECT seed FROM runs WHERE week = ?", *texts(week))[0][0])

    def end_runs(self, weeks: Iterable[str]) -> None:
        """Record that the runs over these weeks have ended."""
        with self.transaction() as database:
            database.executemany("DELETE FROM runs WHERE week = ?", [texts(week) for week in weeks])

    def record_digests(self, assignment: str, digests: Mapping[str, str]) -> None:
        """Record what each check of an assignment's version depends on (`grader.course.check_digests`)."""
        with self.transaction() as database:
            database.executemany(
                "INSERT OR REPLACE INTO digests VALUES (?, ?, ?)",
                [texts(assignment, check, digest) for check, digest in digests.items()],
            )

    def digests(self, assignment: str) -> dict[str, str]:
        """Return what was recorded for an assignment's version; empty where nothing was."""
        return dict(self.rows('SELECT "check", digest FROM digests WHERE assignment = ?', *texts(assignment)))

    def record_refusals(self, refusals: Mapping[tuple[str, str], str]) -> None:
        """Record why entries are refused, each by its name and a digest, so that they need not be read again."""
        with self.transaction() as database:
            rows = [texts(*key, why) for key, why in refusals.items()]
            database.executemany("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?)", rows)

    def refusals(self) -> dict[tuple[str, str], str]:
        """Return what was recorded of refused entries."""
        return {(name, digest): why for name, digest, why in self.rows("SELECT * FROM refusals")}
