"""Turns the exception that ended a check into its outcome and the message that the student reads."""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis.errors import Flaky, HypothesisException

from grader.checks.describe import clip
from grader.checks.expect import CheckFailed
from grader.checks.task_mark import TaskMark
from grader.inside import probing
from grader.inside.codec import NotPlainData
from grader.pytest_plugin.deadline import DeadlineExceeded
from grader.pytest_plugin.student import LocalStudent, ProbeEnded, Student
from grader.results import Outcome

_TODO = re.compile(r"TODO (\d{1,2}\.\d{1,2})\b")
_MOST_LINES = 30
_ENDS = {str(o): o for o in (Outcome.TODO, Outcome.MEMORY, Outcome.TIMEOUT, Outcome.KILLED)}
_IMPORTS = {
    Outcome.TIMEOUT: "importing one of your modules did not end in time",
    Outcome.KILLED: "importing one of your modules ended the process",
}


@dataclass(frozen=True)
class Verdict:
    """A check's outcome, the message, and whether the evidence has a wrong type or shape."""

    outcome: Outcome
    message: str = ""
    wrong_form: bool = False


def verdict_on(
    error: BaseException | None, mark: TaskMark, student: Student | None, tasks: Collection[str] = ()
) -> Verdict:
    """Return the verdict on a check that ended with `error`, or without one.

    The message says all that is known, of a hidden check too; `Report.for_student` shows less of that. `tasks` are
    those of the course: of others a check cannot be waiting for.
    """
    if error is None:
        return Verdict(Outcome.PASSED)
    error = _cause(error)
    called_with = student.called_with if student else ""
    if isinstance(error, ProbeEnded):
        return _ended(error.outcome, error.summary, error.detail, mark, called_with, tasks)
    if isinstance(student, LocalStudent) and any(error is raised for raised in student.raised):
        return _raised_here(error, mark, student, called_with, tasks)
    if isinstance(error, AssertionError):
        return Verdict(Outcome.FAILED, _failure(error, called_with), isinstance(error, CheckFailed) and error.form)
    return Verdict(Outcome.BROKEN, f"the check itself crashed: {_crash(error)}")


def _cause(error: BaseException) -> BaseException:
    """Return the error that a Hypothesis report is about; code whose answers vary is judged by its first answer."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if isinstance(error, (Flaky, HypothesisException)) and error.__context__ is not None:
        return error.__context__
    return error


def _ended(
    outcome: Outcome, summary: str, detail: str, mark: TaskMark, called_with: str, tasks: Collection[str] = ()
) -> Verdict:
    if outcome is Outcome.TODO:
        return _todo(summary, mark, tasks)
    return Verdict(outcome, _lines([summary, _entry("called with", called_with), detail]))


def _todo(text: str, mark: TaskMark, tasks: Collection[str]) -> Verdict:
    """Judge a TODO: the check's own task is still to do; if the TODO is another task's, the check waits for it."""
    found = _TODO.match(text)
    if found and found[1] != mark.task and found[1] in tasks:
        return Verdict(Outcome.SKIPPED, f"needs task {found[1]}, which is still to do")
    return Verdict(Outcome.TODO, clip(text))


def _raised_here(
    error: BaseException, mark: TaskMark, student: LocalStudent, called_with: str, tasks: Collection[str]
) -> Verdict:
    if isinstance(error, NotPlainData):
        return _ended(Outcome.INVALID, *invalid_text(str(error)), mark, called_with)
    if isinstance(error, DeadlineExceeded):
        frames = frame_lines(probing.describe(error, student.folder)["frames"])
        return _ended(Outcome.TIMEOUT, timeout_text(error.seconds), frames, mark, called_with)
    ended = exception_end(probing.describe(error, student.folder))
    return _ended(ended.outcome, ended.summary, ended.detail, mark, called_with, tasks)


def timeout_text(seconds: float) -> str:
    """Return the summary of a probe that ran into its wall-clock limit."""
    return f"timeout after {seconds:g} s: an endless loop, or far too slow"


def invalid_text(problem: str) -> tuple[str, str]:
    """Return summary and detail for evidence that is not plain data."""
    return "what came back is not of a type that can be judged", clip(problem, 300)


def exception_end(described: dict[str, Any]) -> ProbeEnded:
    """Turn a described exception (`grader.inside.probing.describe`) into the end that it stands for.

    The description may be forged, so the outcome is always one that earns nothing.
    """
    outcome = _ENDS.get(described["outcome"], Outcome.ERROR)
    if outcome is Outcome.TODO:
        return ProbeEnded(outcome, clip(described["message"]))
    if outcome in _IMPORTS:
        return ProbeEnded(outcome, _IMPORTS[outcome], clip(described["message"]))
    name, frames = described["type"], described["frames"]
    known = name if isinstance(getattr(builtins, name, None), type) else "an exception"
    summary = "memory ran out" if outcome is Outcome.MEMORY else f"your code raised {known}"
    if name == "SystemExit":
        summary = "your code called sys.exit"
    elif name == "MissingModule":
        summary = "a module of the week is missing from the submission"
    elif name == "NotInstalled":
        summary = "your code needs what is not installed where you are graded"
    elif not frames and outcome is Outcome.ERROR:
        summary = f"{known} while your result was used"
    return ProbeEnded(outcome, summary, _lines([clip(f"{name}: {described['message']}", 400), frame_lines(frames)]))


def frame_lines(frames: Iterable[dict[str, Any]]) -> str:
    """Return the student's own frames, innermost last, two lines each."""
    return _lines(
        f"  {frame['file']}"
        + (f":{frame['line']}" if frame["line"] else "")
        + (f" in {frame['function']}" if frame["function"] else "")
        + (f"\n      {frame['code']}" if frame["code"] else "")
        for frame in frames
    )


def _failure(error: AssertionError, called_with: str) -> str:
    if not isinstance(error, CheckFailed):
        return _lines([clip(str(error), 600), _entry("called with", called_with)])
    return _lines(
        [
            error.summary,
            _entry("called with", called_with),
            _entry("expected", error.expected),
            _entry("got", error.got),
            _entry("where", error.where),
            _entry("because", error.because),
        ]
    )


def _entry(label: str, text: str | None) -> str:
    return f"  {label:<12} {text}" if text else ""


def _lines(parts: Iterable[str]) -> str:
    lines = [line for part in parts if part for line in part.splitlines()]
    return "\n".join(lines[:_MOST_LINES])


def _crash(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno})" if trace else ""
    return clip(f"{type(error).__name__}: {error}{place}", 400)
