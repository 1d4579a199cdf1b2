"""Checks on a submission that lives in a worker: `RemoteStudent` is what a graded check holds."""

from __future__ import annotations

import contextlib
import inspect
import marshal
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from grader.assignment import SECONDS, Limits
from grader.checks import TaskMark
from grader.errors import SandboxError
from grader.inside import codec
from grader.plugin import check_id
from grader.processes import signal_name
from grader.results import CheckResult, Outcome
from grader.seeds import check_seed, probe_seed
from grader.student import Probe, ProbeEnded, Student, describe_call
from grader.transcripts import Asked, Reply, Request, Transcripts
from grader.verdict import exception_end, invalid_text, timeout_text
from grader.worker import REPLY_SECONDS, CheckProcess, Keeper, KeeperDied, TooMuchMemory, Worker

IMPORT_SECONDS = 10.0  # for each module
SHOT = (-signal.SIGKILL, None)  # ends of a process that may be an outsider's doing
SHOTS = 4  # so often, at most, such an end is tried again


class RemoteStudents:
    """One submission after the other in one worker; serves the `student` fixture of a judge's checks.

    Checks follow each other in one process as long as they pass: a fork for each costs more than most checks do.
    Whatever is not a pass is judged again, `alone`, in a process that has served no other check; so nothing that a
    check leaves behind can cost another one its points.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._submission: _Submission | None = None
        self._failure: SandboxError | None = None
        self._salt = b""
        self._seed = 0
        self.transcripts = Transcripts()
        self._latest: RemoteStudent | None = None
        self._replaying = False
        self._alone = False

    def begin(
        self, week: str, files: dict[str, bytes], modules: Sequence[str], limits: Limits, salt: bytes, seed: int
    ) -> None:
        """Put a submission into the worker, and try to import its modules."""
        self._salt, self._seed, self._failure = salt, seed, None
        self._submission = _Submission(
            self._worker, week, files, modules, limits.memory_mb << 20, limits.seconds, limits.gpu_memory_mb << 20
        )

    def end(self) -> None:
        """Remove the submission, and everything that it left."""
        self._latest = None
        if self._submission is not None:
            self._submission.close()
            self._submission = None

    def replay(self, item: pytest.Item, mark: TaskMark) -> CheckResult | None:
        """The result of a check on a submission that answers as one before did, None where it has to be run."""
        first = self.transcripts.first(item.nodeid, self.check_seed(item))
        if first is None:
            return None
        begin = time.monotonic()
        student = self._new(item, mark)
        result = student.replay(first)
        if result is None:
            self._replaying = True  # the run begins with what has been answered
            return None
        self.close(student)
        return replace(result, seconds=round(time.monotonic() - begin, 3))

    def learn(self, item: pytest.Item, result: CheckResult) -> None:
        """Remember what the latest check was answered, so that the same evidence need not be judged again."""
        if self._latest is not None:
            self.transcripts.learn(item.nodeid, self.check_seed(item), self._latest.steps, result)

    @property
    def shared(self) -> bool:
        """Whether the latest check may have met anything of an earlier one."""
        return self._latest is not None and self._latest.shared

    @property
    def shot(self) -> bool:
        """Whether the latest check ended by SIGKILL.

        Whoever sent that is not known: the student's code may have, but so may the kernel, to get memory, or a person.
        """
        return self._latest is not None and self._latest.shot

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Have the checks in the block run in processes of their own, and not at the cost of the latest one's time."""
        assert self._submission is not None and self._latest is not None
        self._submission.part()
        self._submission.left = self._latest.left_before
        self._alone, self._replaying = True, False
        try:
            yield
        finally:
            self._alone = False

    def open(self, item: pytest.Item, mark: TaskMark) -> Student:
        """A handle for one check."""
        if self._replaying and self._latest is not None:
            self._replaying = False
            return self._latest
        return self._new(item, mark)

    def _new(self, item: pytest.Item, mark: TaskMark) -> RemoteStudent:
        if self._submission is None:
            raise SandboxError("no submission is open in this judge")
        seed = probe_seed(self.check_seed(item))
        self._latest = RemoteStudent(self._submission, seed, mark.seconds, shares=not self._alone)
        return self._latest

    def close(self, student: Student) -> None:
        """The check is over: kill its process, unless others may follow in it."""
        if isinstance(student, RemoteStudent):
            student.close()
            self._failure = self._failure or student.failure

    def raise_failure(self) -> None:
        """Raise what failed in the machinery during a check: no grade may be drawn from such a run."""
        if self._failure is not None:
            raise self._failure

    def check_seed(self, item: pytest.Item) -> int:
        """Draws that only those can repeat who have the hidden material."""
        return check_seed(self._salt, self._seed, check_id(item))


class _Submission:
    """A keeper of the submission's files, and what is known of its modules: those whose import ends badly."""

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
        self.seconds = self.left = seconds
        self._worker = worker
        self._week = week
        self._files = files
        self._memory = memory
        self._gpu_memory = gpu_memory
        self._ended: dict[str, tuple[str, str]] = {}
        self._keeper: Keeper | None = None
        self._warm: CheckProcess | None = None
        self._try_imports(list(modules))

    def _try_imports(self, waiting: list[str]) -> None:
        """Import each module once for trial: one that hangs or ends its process is not tried in every check."""
        ends: list[tuple[str, int | None]] = []  # those that an outsider may have had a hand in
        while waiting:
            process = self.process()
            end = self._import(process, waiting)
            if end is None:
                self.keep(process)
                return
            if end[0] != Outcome.KILLED:
                _end(process)
            elif (status := how_it_ended(process)) in SHOT and len(ends) < SHOTS:
                ends.append((waiting[0], status))
                if ends[-1:] != ends[-2:-1]:
                    continue
            self._ended[waiting.pop(0)] = end

    def _import(self, process: CheckProcess, waiting: list[str]) -> tuple[str, str] | None:
        """Take modules off the list that can be imported; how the process ended at the first that cannot."""
        while waiting:
            with self.clock():
                end = _import(process, waiting[0])
            if end is not None:
                return end
            del waiting[0]
        return None

    @contextlib.contextmanager
    def clock(self) -> Iterator[None]:
        """Count the block's time as the student's."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.left -= time.monotonic() - begin

    def lend(self) -> CheckProcess | None:
        """The process in which checks have passed, if there is one."""
        process, self._warm = self._warm, None
        return process

    def keep(self, process: CheckProcess) -> None:
        """Take a process back for the next check that shares it."""
        self._warm = process

    def part(self) -> None:
        """End the process that was kept."""
        if self._warm is not None:
            process, self._warm = self._warm, None
            _end(process)

    def process(self) -> CheckProcess:
        """A process for one check, which imports the student's modules when a probe asks for them."""
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


def _import(process: CheckProcess, module: str) -> tuple[str, str] | None:
    """How the import of a module ended the process; an exception in it is no end."""
    try:
        process.ask({"load": module}, IMPORT_SECONDS)
    except TimeoutError:
        return str(Outcome.TIMEOUT), f"importing {module}.py did not end within {IMPORT_SECONDS:g} s"
    except TooMuchMemory as error:
        return str(Outcome.MEMORY), f"importing {module}.py: {error}"
    except OSError:
        return str(Outcome.KILLED), f"importing {module}.py ended the process"
    return None


def _end(process: CheckProcess) -> None:
    with contextlib.suppress(KeeperDied):
        process.end()


class RemoteStudent:
    """Probes in a worker, which may take `seconds` in all. Once a run has ended badly, all later ones end alike.

    With `shares` it may have a process that other checks have had before it, and leave it to others.
    `steps` are the requests so far, each with its reply; `shared` tells whether any of them may have been answered
    otherwise in a process of its own.
    """

    def __init__(self, submission: _Submission, seed: int, seconds: float, shares: bool = False) -> None:
        self.failure: SandboxError | None = None
        self.steps: list[tuple[Request, Reply]] = []
        self.shared = self.shot = False
        self.left_before = submission.left
        self._called: Callable[[], str] | None = None
        self._submission = submission
        self._shares = shares
        self._seed = seed
        self._seconds = seconds
        self._end_at = submission.left - seconds
        self._process: CheckProcess | None = None
        self._afresh = False  # whether that is for one run alone, as far as this check goes
        self._asked: CheckProcess | None = None
        self._final: ProbeEnded | None = None
        self._answered: deque[tuple[Request, Reply]] = deque()

    @property
    def called_with(self) -> str:
        """The arguments of the latest run, described only where somebody asks."""
        return self._called() if self._called else ""

    @property
    def printed(self) -> str:
        """What the latest probe has printed, in part if that was much."""
        return self._asked.printed.decode("utf-8", "replace") if self._asked else ""

    def run(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        return self._run(probe, args, kwargs, fresh=False)

    def run_fresh(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        return self._run(probe, args, kwargs, fresh=True)

    def replay(self, place: Asked) -> CheckResult | None:
        """Ask what an earlier run of the check has asked: its result if all replies are the same, to the byte.

        Else None, and a run of the check takes the replies so far as its first ones.
        """
        self.shared = True  # a run alone confirms whatever is no pass: none of it has been seen as it came
        following: Asked | CheckResult | None = place
        while isinstance(following, Asked):
            try:
                reply = self._ask(following.request)
            except (ProbeEnded, SandboxError):
                return None
            self._answered.append((following.request, reply))
            following = following.after(reply)
        return following

    def close(self) -> None:
        """Kill the check's process, if there is one, or leave it to the next check."""
        if self._process is not None:
            process, self._process = self._process, None
            if self._shares and self._final is None:
                self._submission.keep(process)
            else:
                _end(process)

    def _run(self, probe: Probe, args: tuple[Any, ...], kwargs: dict[str, Any], fresh: bool) -> Any:
        self._called = partial(describe_call, probe, args, kwargs)
        if self._final is not None:
            raise self._final
        file = Path(inspect.getsourcefile(probe) or "")
        call = {"module": file.stem, "probe": probe.__name__, "seed": self._seed, "args": args, "kwargs": kwargs}
        request = Request(file.stem, _compiled(file), codec.encode(call, "the probe's arguments"), fresh)
        known = self._known(request)
        reply = self._ask(request) if known is None else known
        self.steps.append((request, reply))
        try:
            return self._read(reply)
        except codec.CodecError as error:
            raise self._end(ProbeEnded(Outcome.INVALID, *invalid_text(str(error)))) from None

    def _known(self, request: Request) -> Reply | None:
        """The reply to a request that was replayed; one that was not, though it should have been, ends the run."""
        if not self._answered:
            return None
        asked, reply = self._answered.popleft()
        if asked != request:
            raise self._end(ProbeEnded(Outcome.ERROR, "the check asks another question than before"))
        return reply

    def _ask(self, request: Request) -> Reply:
        if request.fresh or self._afresh:
            self._kill()
        if self._process is None:
            self._process = self._begin(request.fresh)
        self._afresh = request.fresh
        process = self._asked = self._process
        try:
            with self._submission.clock():
                return process.run(request, self._submission.left - max(self._end_at, 0))
        except TimeoutError:
            raise self._end(ProbeEnded(Outcome.TIMEOUT, self._timeout())) from None
        except TooMuchMemory as error:
            raise self._end(ProbeEnded(Outcome.MEMORY, str(error))) from None
        except OSError:
            raise self._end(self._death(process)) from None

    def _begin(self, fresh: bool) -> CheckProcess:
        try:
            lent = self._submission.lend() if self._shares and not fresh else None
            self.shared = self.shared or lent is not None
            return lent or self._submission.process()
        except SandboxError as error:
            self.failure = error
            raise

    def _kill(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            _end(process)

    def _timeout(self) -> str:
        if self._end_at > 0:
            return timeout_text(self._seconds)
        return f"timeout: all checks together have used up the {self._submission.seconds:g} s that a submission has"

    def _read(self, reply: Reply) -> Any:
        kind, body = reply[:1], codec.decode(reply[1:])
        if kind == b"E":
            return body
        if kind == b"I":
            raise ProbeEnded(Outcome.INVALID, *invalid_text(str(body)))
        if kind != b"R" or not _is_description(body):
            raise codec.CodecError("the reply is neither evidence nor an exception")
        end = exception_end(body)
        # An exception may depend on the input, and Hypothesis looks for the smallest one that shows it.
        raise end if end.outcome is Outcome.ERROR else self._end(end)

    def _end(self, end: ProbeEnded) -> ProbeEnded:
        self._final = end
        self._kill()
        return end

    def _death(self, process: CheckProcess) -> ProbeEnded:
        self._process = None
        status = how_it_ended(process)
        self.shot = status in SHOT
        if status is None:
            return ProbeEnded(Outcome.KILLED, "the process ended inside the check")
        return ProbeEnded(Outcome.KILLED, signal_name(status))


@cache
def _compiled(file: Path) -> bytes:
    """A module of probes as byte code: its processes are of the same Python, and each would compile it anew."""
    return marshal.dumps(compile(file.read_text(encoding="utf-8"), file.name, "exec"))


def how_it_ended(process: CheckProcess) -> int | None:
    """The exit status, or minus a signal; None where that is unknown, as when whoever watches over it has died, too."""
    try:
        return process.status()
    except KeeperDied:
        return None


def _is_description(body: Any) -> bool:
    """Whether an untrusted reply has the form of `grader.inside.probing.describe`."""
    if type(body) is not dict or not all(type(body.get(k)) is str for k in ("outcome", "type", "message")):
        return False
    frames = body.get("frames")
    return type(frames) is list and all(
        type(f) is dict
        and type(f.get("line")) is int
        and all(type(f.get(k)) is str for k in ("file", "function", "code"))
        for f in frames
    )
