"""Checks on a submission that lives in a worker: `RemoteStudent` is what a graded check holds."""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from grader.assignment import SECONDS, Limits
from grader.checks import TaskMark
from grader.errors import SandboxError
from grader.inside import codec
from grader.plugin import check_id
from grader.results import Outcome
from grader.seeds import check_seed, probe_seed
from grader.student import Probe, ProbeEnded, Student, describe_call
from grader.verdict import exception_end, invalid_text, timeout_text
from grader.worker import REPLY_SECONDS, CheckProcess, Keeper, KeeperDied, TooMuchMemory, Worker, signal_name

IMPORT_SECONDS = 10.0  # for each module


class RemoteStudents:
    """One submission after the other in one worker; serves the `student` fixture of a judge's checks."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._submission: _Submission | None = None
        self._failure: SandboxError | None = None
        self._salt = b""
        self._seed = 0

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
        if self._submission is not None:
            self._submission.close()
            self._submission = None

    def open(self, item: pytest.Item, mark: TaskMark) -> Student:
        """A handle for one check."""
        if self._submission is None:
            raise SandboxError("no submission is open in this judge")
        return RemoteStudent(self._submission, probe_seed(self.check_seed(item)), mark.seconds)

    def close(self, student: Student) -> None:
        """The check is over: kill its process."""
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
        self._try_imports(list(modules))

    def _try_imports(self, waiting: list[str]) -> None:
        """Import each module once for trial: one that hangs or ends its process is not tried in every check."""
        while waiting:
            process = self.process()
            while waiting:
                module = waiting.pop(0)
                with self.clock():
                    end = _import(process, module)
                if end is not None:
                    self._ended[module] = end
                    break
            with contextlib.suppress(KeeperDied):
                process.end()

    @contextlib.contextmanager
    def clock(self) -> Iterator[None]:
        """Count the block's time as the student's."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.left -= time.monotonic() - begin

    def process(self) -> CheckProcess:
        """A process for one check, which imports the student's modules when a probe asks for them."""
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


class RemoteStudent:
    """Probes in a worker, which may take `seconds` in all. Once a run has ended badly, all later ones end alike."""

    def __init__(self, submission: _Submission, seed: int, seconds: float) -> None:
        self.called_with = ""
        self.failure: SandboxError | None = None
        self._submission = submission
        self._seed = seed
        self._seconds = seconds
        self._end_at = submission.left - seconds
        self._process: CheckProcess | None = None
        self._asked: CheckProcess | None = None
        self._final: ProbeEnded | None = None

    @property
    def printed(self) -> str:
        """What the latest probe has printed, in part if that was much."""
        return self._asked.printed.decode("utf-8", "replace") if self._asked else ""

    def run(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        self.called_with = describe_call(probe, args, kwargs)
        if self._final is not None:
            raise self._final
        if self._process is None:
            self._process = self._begin()
        return self._evidence(self._process, probe, args, kwargs)

    def _begin(self) -> CheckProcess:
        try:
            return self._submission.process()
        except SandboxError as error:
            self.failure = error
            raise

    def run_fresh(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        self.close()
        try:
            return self.run(probe, *args, **kwargs)
        finally:
            self.close()

    def close(self) -> None:
        """Kill the check's process, if there is one."""
        if self._process is not None:
            process, self._process = self._process, None
            with contextlib.suppress(KeeperDied):
                process.end()

    def _evidence(self, process: CheckProcess, probe: Probe, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._asked = process
        request = {**_source(probe), "seed": self._seed, "args": args, "kwargs": kwargs}
        try:
            with self._submission.clock():
                reply = process.ask(request, self._submission.left - max(self._end_at, 0))
        except TimeoutError:
            raise self._end(ProbeEnded(Outcome.TIMEOUT, self._timeout())) from None
        except TooMuchMemory as error:
            raise self._end(ProbeEnded(Outcome.MEMORY, str(error))) from None
        except OSError:
            raise self._end(self._death(process)) from None
        try:
            return self._read(reply)
        except codec.CodecError as error:
            raise self._end(ProbeEnded(Outcome.INVALID, *invalid_text(str(error)))) from None

    def _timeout(self) -> str:
        if self._end_at > 0:
            return timeout_text(self._seconds)
        return f"timeout: all checks together have used up the {self._submission.seconds:g} s that a submission has"

    def _read(self, reply: bytes) -> Any:
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
        self.close()
        return end

    def _death(self, process: CheckProcess) -> ProbeEnded:
        self._process = None
        try:
            status = process.status()
        except KeeperDied:
            status = None
        if status is None:
            return ProbeEnded(Outcome.KILLED, "the process ended inside the check")
        return ProbeEnded(Outcome.KILLED, signal_name(status))


def _source(probe: Probe) -> dict[str, str]:
    file = Path(inspect.getsourcefile(probe) or "")
    return {"probe": probe.__name__, "module": file.stem, "source": _text(file)}


_texts: dict[Path, str] = {}


def _text(file: Path) -> str:
    if file not in _texts:
        _texts[file] = file.read_text(encoding="utf-8")
    return _texts[file]


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
