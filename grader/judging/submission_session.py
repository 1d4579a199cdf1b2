"""Keeps one submission's session in a worker: its processes, its time, and which of its modules can be imported."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator, Sequence

from grader.course.assignment import SECONDS
from grader.errors import SandboxError
from grader.inside import says
from grader.judging.fair_time import FairTime, Look
from grader.results import Outcome
from grader.sandbox.worker_client import REPLY_SECONDS, CheckProcess, Keeper, KeeperDied, TooMuchMemory, Worker

IMPORT_SECONDS = 10.0  # for each module
KILLED_FROM_OUTSIDE = (-signal.SIGKILL, None)  # ends of a process that may be an outsider's doing
KILL_RETRIES = 4  # retries after such an end, at most


class Session:
    """Holds the keeper of a submission's files, and notes which of its modules end the process at import."""

    def __init__(
        self,
        worker: Worker,
        week: str,
        files: dict[str, bytes],
        modules: Sequence[str],
        memory: int,
        seconds: float = SECONDS,
        gpu_memory: int = 0,
    ) -> None:
        self.seconds = self.retries_left = seconds
        self.queued, self.idle = 10 * seconds, seconds  # what can be given back of it (`fair_time`)
        self.looked: Look | None = None
        self._left = seconds
        self._since: float | None = None  # when a block began whose time counts
        self._worker = worker
        self._week = week
        self._files = files
        self._memory = memory
        self._gpu_memory = gpu_memory
        self._ended: dict[str, tuple[str, str]] = {}
        self._keeper: Keeper | None = None
        self._warm: CheckProcess | None = None
        self._try_imports(list(modules))

    def text_of(self, file: str) -> str:
        """Return the text of a file of the submission; empty where it has none of that name."""
        return self._files.get(file, b"").decode("utf-8", "replace")

    def _try_imports(self, waiting: list[str]) -> None:
        """Try to import each module once, so that one that hangs or ends its process is not tried in every check."""
        ends: list[tuple[str, int | None]] = []  # those that an outsider may have had a hand in
        while waiting:
            process = self.process()
            end = self._import(process, waiting)
            if end is None:
                self.keep(process)
                return
            if end[0] != Outcome.KILLED:
                end_process(process)
            elif (status := how_it_ended(process)) in KILLED_FROM_OUTSIDE and len(ends) < KILL_RETRIES:
                ends.append((waiting[0], status))
                if ends[-1:] != ends[-2:-1]:
                    continue
            self._ended[waiting.pop(0)] = end

    def _import(self, process: CheckProcess, waiting: list[str]) -> tuple[str, str] | None:
        """Take modules that can be imported off the list; return how the process ended at the first that cannot."""
        while waiting:
            fair = FairTime(self, IMPORT_SECONDS)
            fair.enter(process)
            with self.clock():
                end = _import(process, waiting[0], fair)
            if end is not None:
                return end
            fair.end()
            del waiting[0]
        return None

    @property
    def left(self) -> float:
        """The seconds that the student's code has left, also in the middle of a block whose time counts."""
        return self._left - (time.monotonic() - self._since if self._since is not None else 0)

    @left.setter
    def left(self, seconds: float) -> None:
        self._left += seconds - self.left

    @contextlib.contextmanager
    def clock(self) -> Iterator[None]:
        """Count the block's time as the student's."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._left, self._since = self.left, None

    @contextlib.contextmanager
    def retry(self, left_before: float) -> Iterator[None]:
        """Run the block as if a check had not used any time since; all retries together have as much time once more."""
        given = self.left = min(left_before, self.retries_left)
        try:
            yield
        finally:
            used = given - self.left
            self.left = left_before - used
            self.retries_left -= used

    def lend(self) -> CheckProcess | None:
        """Hand out the process in which checks have passed, if there is one."""
        process, self._warm = self._warm, None
        return process

    def keep(self, process: CheckProcess) -> None:
        """Take a process back for the next check that shares it."""
        self._warm = process

    def part(self) -> None:
        """End the process that was kept."""
        if self._warm is not None:
            process, self._warm = self._warm, None
            end_process(process)

    def process(self) -> CheckProcess:
        """Start a process for one check, which imports the student's modules when a probe asks for them."""
        self.part()  # the keeper has one at a time
        process = self._fork()
        try:
            process.ask({"ended": self._ended}, REPLY_SECONDS)
        except (OSError, TooMuchMemory) as error:  # nothing of the student's has run yet
            raise SandboxError(f"a process for a check could not be prepared ({error!r})") from None
        return process

    def _fork(self) -> CheckProcess:
        for _ in range(2):
            try:
                if self._keeper is None:
                    self._keeper = self._worker.keeper(self._week, self._files, self._memory, self._gpu_memory)
                return self._keeper.check()
            except KeeperDied:  # without a sandbox, code that was checked before can have killed it
                self.close()
        raise SandboxError("the process that keeps the submission's files died twice before a check began")

    def close(self) -> None:
        """End the keeper, and with it everything of the submission."""
        self.part()
        if self._keeper is not None:
            keeper, self._keeper = self._keeper, None
            keeper.close()


def _import(process: CheckProcess, module: str, fair: FairTime) -> tuple[str, str] | None:
    """Import a module; return how that ended the process, None if it did not. An exception is no end."""
    try:
        process.ask({"load": module}, IMPORT_SECONDS, fair.more)
    except TimeoutError:
        return str(Outcome.TIMEOUT), says(f"importing {module}.py did not end within {IMPORT_SECONDS:g} s")
    except TooMuchMemory as error:
        return str(Outcome.MEMORY), says(f"importing {module}.py: {error}")
    except OSError:
        return str(Outcome.KILLED), says(f"importing {module}.py ended the process")
    return None


def end_process(process: CheckProcess) -> None:
    """End a process with all that it started, if its keeper still can."""
    with contextlib.suppress(KeeperDied):
        process.end()


def how_it_ended(process: CheckProcess) -> int | None:
    """Return the exit status, or minus a signal; None where it is unknown, as when the keeper has died, too."""
    try:
        return process.status()
    except KeeperDied:
        return None
