"""Checks on a submission that lives in a worker: `RemoteStudent` is what a graded check holds."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from grader.checks import TaskMark
from grader.errors import SandboxError
from grader.inside import codec
from grader.results import Outcome
from grader.seeds import check_seed
from grader.student import Probe, ProbeEnded, Student, describe_call
from grader.verdict import exception_end, invalid_text, timeout_text
from grader.worker import CheckProcess, Host, HostDied, Worker, signal_name

IMPORT_SECONDS = 10.0


class RemoteStudents:
    """One submission after the other in one worker; serves the `student` fixture of a judge's checks."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._submission: _Submission | None = None
        self._salt = b""
        self._seed = 0

    def begin(
        self, week: str, files: dict[str, bytes], modules: Sequence[str], memory: int, salt: bytes, seed: int
    ) -> None:
        """Put a submission into the worker; its modules are imported once."""
        self._salt, self._seed = salt, seed
        self._submission = _Submission(self._worker, week, files, modules, memory)

    def end(self) -> None:
        """Remove the submission, and everything that it left."""
        if self._submission is not None:
            self._submission.close()
            self._submission = None

    def open(self, item: pytest.Item, mark: TaskMark) -> Student:
        """A handle for one check."""
        if self._submission is None:
            raise SandboxError("no submission is open in this judge")
        return RemoteStudent(self._submission, self.check_seed(item), mark.seconds)

    def close(self, student: Student) -> None:
        """The check is over: kill its process."""
        if isinstance(student, RemoteStudent):
            student.close()

    def check_seed(self, item: pytest.Item) -> int:
        """Draws that only those can repeat who have the hidden material."""
        return check_seed(self._salt, self._seed, f"{item.path.name}::{item.name}")


class _Submission:
    """A host process, replaced by another when the student's code kills it."""

    def __init__(self, worker: Worker, week: str, files: dict[str, bytes], modules: Sequence[str], memory: int) -> None:
        self.memory = memory
        self._worker = worker
        self._week = week
        self._files = files
        self._modules = modules
        self._ended: dict[str, tuple[str, str]] = {}
        self._host: Host | None = None

    def process(self) -> CheckProcess:
        """A process for one check, from the host at hand or, where that died, from a new one."""
        for _ in range(2):
            host = self._host or self._start()
            try:
                return host.check()
            except (HostDied, TimeoutError):
                self.close()
        raise ProbeEnded(Outcome.KILLED, "the process that holds the submission died before the check began")

    def _start(self) -> Host:
        """A host with every module imported that can be; one that hangs or kills it is not tried again."""
        while True:
            self._host = self._worker.host(self._week, self._files, self.memory, self._ended)
            failed = self._load_all(self._host)
            if failed is None:
                return self._host
            self.close()

    def _load_all(self, host: Host) -> str | None:
        for module in self._modules:
            if module in self._ended:
                continue
            try:
                host.load(module, IMPORT_SECONDS)
            except ProbeEnded as end:
                self._ended[module] = (str(end.outcome), end.summary)
                return module
        return None

    def close(self) -> None:
        """End the host and sweep up what it started."""
        if self._host is not None:
            self._host.close()
            self._host = None
        self._worker.sweep()


class RemoteStudent:
    """Probes in a worker. Once a run has ended badly, every later one in this check ends the same way."""

    def __init__(self, submission: _Submission, seed: int, seconds: float) -> None:
        self.called_with = ""
        self._submission = submission
        self._seed = seed
        self._seconds = seconds
        self._process: CheckProcess | None = None
        self._final: ProbeEnded | None = None

    def run(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        self.called_with = describe_call(probe, args, kwargs)
        if self._final is not None:
            raise self._final
        if self._process is None:
            self._process = self._submission.process()
        return self._evidence(self._process, probe, args, kwargs)

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
            with contextlib.suppress(HostDied, TimeoutError):
                process.end()

    def _evidence(self, process: CheckProcess, probe: Probe, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        request = {**_source(probe), "seed": self._seed, "args": args, "kwargs": kwargs}
        try:
            reply = process.ask(request, self._seconds)
        except TimeoutError:
            raise self._end(ProbeEnded(Outcome.TIMEOUT, timeout_text(self._seconds))) from None
        except OSError:
            raise self._end(self._death(process)) from None
        try:
            return self._read(reply)
        except codec.CodecError as error:
            raise self._end(ProbeEnded(Outcome.INVALID, *invalid_text(str(error)))) from None

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
            status = process.end()
        except (HostDied, TimeoutError):
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
