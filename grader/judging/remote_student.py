"""Gives checks a submission that lives in a worker: `RemoteStudent` is what a graded check holds."""

from __future__ import annotations

import contextlib
import inspect
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.checks.task_mark import TaskMark
from grader.course import Limits
from grader.errors import SandboxError
from grader.inside import codec, says
from grader.judging.fair_time import IDLE_FACTOR, FairTime
from grader.judging.probe_code import code_of
from grader.judging.replay import Asked, ReplayCache, digest
from grader.judging.shortcuts import Shortcuts
from grader.judging.submission_session import KILLED_FROM_OUTSIDE, Session, end_process, how_it_ended
from grader.pytest_plugin.calls import Asked as Called
from grader.pytest_plugin.plugin import check_id
from grader.pytest_plugin.seeds import check_seed, probe_seed
from grader.pytest_plugin.student import Probe, ProbeEnded, Student
from grader.pytest_plugin.verdict import exception_end, invalid_text, timeout_text
from grader.results import CheckResult, Outcome
from grader.sandbox.processes import signal_name
from grader.sandbox.protocol import Reply, Request
from grader.sandbox.worker_client import CheckProcess, TooMuchMemory, Worker

MOST_ANSWERED = codec.LONGEST  # bytes of replies that a replay keeps for a run of the check, but for the last one


class SubmissionStudents:
    """Serves the `student` fixture of a judge's checks, for one submission after the other in one worker.

    Checks follow each other in one process as long as they pass: a fork for each costs more than most checks do.
    A check that does not pass is judged again, `alone`, in a process that has served no other check; so nothing that
    a check leaves behind can cost another one its points.
    """

    def __init__(self, worker: Worker, shortcuts: Shortcuts | None = None) -> None:
        self._worker = worker
        self._shortcuts = shortcuts or Shortcuts()
        self._session: Session | None = None
        self._failure: SandboxError | None = None
        self._salt = b""
        self._seed = 0
        self.replay_cache = ReplayCache()
        self._latest: RemoteStudent | None = None
        self._replaying = False
        self._alone = False

    def begin(
        self, week: str, files: dict[str, bytes], modules: Sequence[str], limits: Limits, salt: bytes, seed: int
    ) -> None:
        """Put a submission into the worker, and try to import its modules."""
        self._salt, self._seed, self._failure = salt, seed, None
        self._session = Session(
            self._worker, week, files, modules, limits.memory_mb << 20, limits.seconds, limits.gpu_memory_mb << 20
        )

    def end(self) -> None:
        """Remove the submission, and everything that it left."""
        self._latest = None
        if self._session is not None:
            self._session.close()
            self._session = None

    def part(self) -> None:
        """End the process that checks have shared so far; the next one gets another."""
        if self._session is not None:
            self._session.part()

    def replay(self, item: pytest.Item, mark: TaskMark) -> CheckResult | None:
        """Return a check's result if the submission answers as an earlier one did; None where the check has to run."""
        first = self.replay_cache.first(item.nodeid, self.check_seed(item))
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
        """Remember the replies to the latest check, so that the same evidence need not be judged again."""
        if self._latest is not None and self._shortcuts.replay:
            self.replay_cache.learn(item.nodeid, self.check_seed(item), self._latest.steps, result)

    @property
    def shared(self) -> bool:
        """Tell whether the latest check may have met what an earlier one left behind."""
        return self._latest is not None and self._latest.shared

    @property
    def killed(self) -> bool:
        """Tell whether the latest check ended by SIGKILL.

        The sender is not known: it may be the student's code, but also the kernel, to get memory, or a person.
        """
        return self._latest is not None and self._latest.killed

    @property
    def may_retry(self) -> bool:
        """Tell whether the submission has time left for retries."""
        return self._session is not None and self._session.retries_left > 0

    def confirm_losses(self) -> None:
        """Note that the latest check is not run as usual: unless it passes, a run alone has to confirm its result."""
        if self._latest is not None:
            self._latest.shared = True

    @property
    def by_itself(self) -> bool:
        """Tell whether this is a run alone."""
        return self._alone

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Run the checks in the block in processes of their own, and give back the time that the latest one used."""
        assert self._session is not None and self._latest is not None
        self._session.part()
        self._alone, self._replaying = True, False
        try:
            with self._session.retry(self._latest.left_before):
                yield
        finally:
            self._alone = False

    def open(self, item: pytest.Item, mark: TaskMark) -> Student:
        """Open a handle for one check."""
        if self._replaying and self._latest is not None:
            self._replaying = False
            return self._latest
        return self._new(item, mark)

    def _new(self, item: pytest.Item, mark: TaskMark) -> RemoteStudent:
        if self._session is None:
            raise SandboxError("no submission is open in this judge")
        seed = probe_seed(self.check_seed(item))
        self._latest = RemoteStudent(
            self._session, seed, mark.seconds, shares=self._shortcuts.shared and not self._alone
        )
        return self._latest

    def close(self, student: Student) -> None:
        """End the check: kill its process, unless others may follow in it."""
        if isinstance(student, RemoteStudent):
            student.close()
            self._failure = self._failure or student.failure

    def raise_failure(self) -> None:
        """Raise what failed in the machinery during a check: no grade may be drawn from such a run."""
        if self._failure is not None:
            raise self._failure

    def check_seed(self, item: pytest.Item) -> int:
        """Return the check's seed; without the hidden material nobody can repeat its draws."""
        return check_seed(self._salt, self._seed, check_id(item))


class RemoteStudent:
    """Runs probes in a worker, for `seconds` in all. Once a run has ended badly, all later ones end in the same way.

    With `shares` it may use a process that served other checks before, and leave it to others. `steps` are the requests
    so far, each with its reply's digest; `shared` tells whether a process of its own might have answered any of them
    otherwise.
    """

    def __init__(self, session: Session, seed: int, seconds: float, shares: bool = False) -> None:
        self.failure: SandboxError | None = None
        self.steps: list[tuple[Request, bytes]] = []
        self.shared = self.killed = False
        self.left_before = session.left
        self.asked: Called | None = None
        self._session = session
        self._shares = shares
        self._seed = seed
        self._seconds = seconds
        self._end_at = session.left - seconds
        self._process: CheckProcess | None = None
        self._time = FairTime(session, seconds)
        self._afresh = False  # whether this check has begun that process for one run alone
        self._asked: CheckProcess | None = None
        self._final: ProbeEnded | None = None
        self._answered: deque[tuple[Request, Reply]] = deque()

    @property
    def place(self) -> str:
        """File and line of what the latest probe called of the student's."""
        return self.asked.place(self._session.text_of) if self.asked else ""

    @property
    def printed(self) -> str:
        """The output of the latest probe, cut if it was long."""
        return self._asked.printed.decode("utf-8", "replace") if self._asked else ""

    def run(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        return self._run(probe, args, kwargs, fresh=False)

    def run_fresh(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        return self._run(probe, args, kwargs, fresh=True)

    def replay(self, place: Asked) -> CheckResult | None:
        """Send the requests of an earlier run of the check; return its result if all replies are the same, to the byte.

        Else return None; a run of the check then takes the replies so far as its first ones.
        """
        self.shared = True  # unless it passes, a run alone confirms the result: no reply was judged as it came
        following: Asked | CheckResult | None = place
        while isinstance(following, Asked):
            if sum(len(reply) for _, reply in self._answered) > MOST_ANSWERED:
                return None
            try:
                reply = self._ask(following.request)
            except (ProbeEnded, SandboxError):
                return None
            self._answered.append((following.request, reply))
            following = following.after(reply)
        return following

    def close(self) -> None:
        """Kill the check's process, if there is one, or leave it to the next check."""
        self._time.end()
        if self._process is not None:
            process, self._process = self._process, None
            if self._shares and self._final is None:
                self._session.keep(process)
            else:
                end_process(process)

    def _run(self, probe: Probe, args: tuple[Any, ...], kwargs: dict[str, Any], fresh: bool) -> Any:
        self.asked = Called(probe, args, kwargs)
        if self._final is not None:
            raise self._final
        file = Path(inspect.getsourcefile(probe) or "")
        name, code = f"{file.stem}:{probe.__name__}", code_of(file, probe.__name__)
        call = {"module": name, "probe": probe.__name__, "seed": self._seed, "args": args, "kwargs": kwargs}
        request = Request(name, code, codec.encode(call, "the probe's arguments"), fresh)
        known = self._known(request)
        reply = self._ask(request) if known is None else known
        self.steps.append((request, digest(reply)))
        try:
            return self._read(reply)
        except codec.CodecError as error:
            raise self._end(ProbeEnded(Outcome.INVALID, *invalid_text(str(error)))) from None

    def _known(self, request: Request) -> Reply | None:
        """Return the reply to a request that was replayed; another request than the replayed one ends the run."""
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
            self._time.enter(self._process)
        self._afresh = request.fresh
        process = self._asked = self._process
        try:
            with self._session.clock():
                return process.run(request, self._session.left - max(self._end_at, 0), self._time.more)
        except TimeoutError:
            raise self._end(ProbeEnded(Outcome.TIMEOUT, self._timeout())) from None
        except TooMuchMemory as error:
            raise self._end(ProbeEnded(Outcome.MEMORY, str(error))) from None
        except OSError:
            raise self._end(self._death(process)) from None

    def _begin(self, fresh: bool) -> CheckProcess:
        try:
            lent = self._session.lend() if self._shares and not fresh else None
            self.shared = self.shared or lent is not None
            return lent or self._session.process()
        except SandboxError as error:
            self.failure = error
            raise

    def _kill(self) -> None:
        if self._process is not None:
            self._time.leave()
            process, self._process = self._process, None
            end_process(process)

    def _timeout(self) -> str:
        if self._time.waited:
            asleep = (1 + IDLE_FACTOR) * self._seconds
            return says(
                f"timeout: the code slept or waited for most of {asleep:g} s, "
                f"and computed for less than the {self._seconds:g} s that it has"
            )
        if self._end_at > 0:
            return timeout_text(self._seconds)
        seconds = self._session.seconds
        return says(f"timeout: all checks together have used up the {seconds:g} s that a submission has")

    def _read(self, reply: Reply) -> Any:
        kind, body = reply[:1], codec.decode(reply[1:], codec.MOST_NUMBERS)
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
        self.killed = status in KILLED_FROM_OUTSIDE
        if status is None:
            return ProbeEnded(Outcome.KILLED, "the process ended inside the check")
        return ProbeEnded(Outcome.KILLED, signal_name(status))


def _is_description(body: Any) -> bool:
    """Tell whether an untrusted reply has the form of `grader.inside.probing.describe`."""
    if type(body) is not dict or not all(type(body.get(k)) is str for k in ("outcome", "type", "message")):
        return False
    frames = body.get("frames")
    return type(frames) is list and all(
        type(f) is dict
        and type(f.get("line")) is int
        and all(type(f.get(k)) is str for k in ("file", "function", "code"))
        for f in frames
    )
