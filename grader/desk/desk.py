"""Puts together what all pages need: the gradebook, the class in memory, who may come in, and what is told live."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from grader.batch.deciding.teams import Teams
from grader.desk.background.likeness import Likeness
from grader.desk.background.live import Live
from grader.desk.background.regrading import Regrading
from grader.desk.guard.sessions import Sessions
from grader.desk.model.snapshot import Snapshot
from grader.gradebook import Gradebook
from grader.gradebook.together.actions import Changing


@dataclass(frozen=True)
class Done:
    """What was done, in words, and the action that undoes it; 0 where nothing does."""

    said: str
    action: int = 0


@dataclass
class Desk:
    """An open desk. All that touches the gradebook happens in one thread, that of the server."""

    out: Path
    book: Gradebook
    snapshot: Snapshot
    sessions: Sessions
    live: Live
    likeness: Likeness
    regrading: Regrading | None = None
    _teams: tuple[int, Teams | None] = field(default=(-1, None))

    @property
    def teams(self) -> Teams:
        """Who shares work with whom, as of the last attempt."""
        if self._teams[1] is None or self._teams[0] != self.snapshot.attempted:
            self._teams = self.snapshot.attempted, Teams(self.book)
        assert self._teams[1] is not None
        return self._teams[1]

    def done(self, change: Changing, said: str) -> Done:
        """Bring the class up to date after a change, and say what was done."""
        self.snapshot.touch()
        return Done(said, change.number)

    @property
    def tas(self) -> list[str]:
        """Everybody who grades here: who may come in, and to whom students are assigned."""
        assigned = {duty.who for duty in self.snapshot.duties.values() if duty.who}
        return sorted({*self.sessions.names, *assigned}, key=str.casefold)


def desk_of(request: Request) -> Desk:
    """Return the desk at which a request arrives, with what others have changed since the last one."""
    desk: Desk = request.app.state.desk
    desk.snapshot.refresh()
    return desk
