"""Turns the exception that ended a check into its outcome and the message that the student reads."""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis.errors import Flaky, HypothesisException

from grader.checks.describe import clip
from grader.checks.expect import CheckFailed
from grader.checks.task_mark import TaskMark
from grader.inside import probing, says
from grader.inside.codec import NotPlainData
from grader.pytest_plugin import meanings
from grader.pytest_plugin.calls import Asked
from grader.pytest_plugin.deadline import DeadlineExceeded
from grader.pytest_plugin.student import LocalStudent, ProbeEnded, Student
from grader.results import TODO_TEXT, Outcome

_MOST_LINES = 30
_LONGEST_LINE = 400
_LONGEST_OF_ALL = 1_000  # characters of any line: whatever came from the student's process may be as long as a message
_LONGEST_CALL = 120  # in the first line; else below it alone
_LONGEST_VALUE = 60  # of an expected value, and of what came, in a message's first line
_SIGNATURE = re.compile(r"[\w.<>]+\(\) (got an unexpected|got multiple|got some positional|missing|takes) ")
_SENTENCE_ENDS = re.compile(r"[.!](?:\s|$)")
_NO_SUCH_NAME = re.compile(r"\w+\.py has no ")
_ENDS = {str(o): o for o in (Outcome.TODO, Outcome.MEMORY, Outcome.TIMEOUT, Outcome.KILLED)}
_IMPORTS = {
    Outcome.TIMEOUT: says("importing one of your modules did not end in time"),
    Outcome.KILLED: says("importing one of your modules ended the process"),
}


@dataclass(frozen=True)
class Verdict:
    """A check's outcome, the message, and whether the evidence has a wrong type or shape.

    `place` is the student's file and line to look at. `cause` is the same for all checks that one thing has ended.
    """

    outcome: Outcome
    message: str = ""
    wrong_form: bool = False
    place: str = ""
    cause: str = ""


def verdict_on(
    error: BaseException | None, mark: TaskMark, student: Student | None, tasks: Collection[str] = ()
) -> Verdict:
    """Return the verdict on a check that ended with `error`, or without one.

    The message says all that is known, of a hidden check too; `Report.for_student` shows less of that. `tasks` are
    those of the course: of others a check cannot be waiting for.
    """
    if error is None:
        return Verdict(Outcome.PASSED)
    if isinstance(student, LocalStudent) and (raised := raised_by_student(error, student)) is not None:
        error = _raised_here(raised, student)
    error = _cause(error)
    if isinstance(error, ProbeEnded):
        return _ended(error, mark, student, tasks)
    if isinstance(error, AssertionError):
        wrong_form = isinstance(error, CheckFailed) and error.form
        return Verdict(Outcome.FAILED, _failure(error, _asked(student)), wrong_form, _defined(student))
    return Verdict(Outcome.BROKEN, f"{says('the check itself crashed')}: {_crash(error)}")


def raised_by_student(error: BaseException, student: LocalStudent) -> BaseException | None:
    """Return what the student's code has raised, if that is what has ended a check with `error`."""
    cause = _cause(error)
    return cause if any(cause is raised for raised in student.raised) else None


def _cause(error: BaseException) -> BaseException:
    """Return the error that a Hypothesis report is about; code whose answers vary is judged by its first answer."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if isinstance(error, (Flaky, HypothesisException)) and error.__context__ is not None:
        return error.__context__
    return error


def _ended(end: ProbeEnded, mark: TaskMark, student: Student | None, tasks: Collection[str]) -> Verdict:
    if end.outcome is Outcome.TODO:
        return _todo(end.summary, mark, tasks)
    means = meanings.meaning(end.says, end.frames)
    # Where we know better, a library's long advice only leads astray.
    text = f"{_SENTENCE_ENDS.split(end.says, maxsplit=1)[0]}; {means}" if means else end.says
    first = clip(": ".join(filter(None, [end.summary, text])), _LONGEST_LINE)
    place = end.place or _defined(student)
    first += f" ({place})" if place else ""
    cause = (f"{end.raised} ({end.place})" if end.place else first) if end.raised else ""
    asked = _asked(student) if end.reached else None
    first += f", in {asked.text}" if asked and 0 < len(asked.text) <= _LONGEST_CALL else ""
    message = _lines([first, _called_as(asked), end.frames])
    return Verdict(end.outcome, message, place=place, cause=cause)


def _asked(student: Student | None) -> Asked | None:
    return student.asked if student else None


def _defined(student: Student | None) -> str:
    return student.place if student else ""


def _todo(text: str, mark: TaskMark, tasks: Collection[str]) -> Verdict:
    """Judge a TODO: the check's own task is still to do; if the TODO is another task's, the check waits for it."""
    found = TODO_TEXT.match(text)
    if found and found[1] != mark.task and found[1] in tasks:
        return Verdict(Outcome.SKIPPED, says(f"needs task {found[1]}, which is still to do"))
    return Verdict(Outcome.TODO, clip(text))


def _raised_here(error: BaseException, student: LocalStudent) -> ProbeEnded:
    if isinstance(error, NotPlainData):
        return ProbeEnded(Outcome.INVALID, *invalid_text(str(error)))
    described = probing.describe(error, student.folder)
    if isinstance(error, DeadlineExceeded):
        frames = described["frames"]
        text = timeout_text(error.seconds, error.slow)
        return ProbeEnded(Outcome.TIMEOUT, text, "", frame_lines(frames), _place(frames), "timeout")
    return exception_end(described)


def timeout_text(seconds: float, slow: str = "") -> str:
    """Return the summary of a probe that ran into its limit, maybe within one `slow` call of a library."""
    if slow:
        return says(f"timeout after {seconds:g} s: too slow, most of it is one call of {clip(slow, 80)}")
    return says(f"timeout after {seconds:g} s: an endless loop, or far too slow")


def invalid_text(problem: str) -> tuple[str, str]:
    """Return summary and detail for evidence that is not plain data."""
    return says("what came back is not of a type that can be judged"), clip(problem, 300)


def exception_end(described: dict[str, Any]) -> ProbeEnded:
    """Turn a described exception (`grader.inside.probing.describe`) into the end that it stands for.

    The description may be forged, so the outcome is always one that earns nothing.
    """
    outcome = _ENDS.get(described["outcome"], Outcome.ERROR)
    if outcome is Outcome.TODO:
        return ProbeEnded(outcome, clip(described["message"]))
    if outcome in _IMPORTS:
        return ProbeEnded(outcome, _IMPORTS[outcome], clip(described["message"]), raised="import", reached=False)
    text = clip(described["message"], _LONGEST_LINE)
    frames, name = described["frames"], described["type"]
    summary = _summary(name, text, bool(frames)) if outcome is Outcome.ERROR else says("memory ran out")
    if not _is_builtin(name) and name not in _OURS:
        text = f"{clip(name, 60)}: {text}"  # an exception of their own, or of a library
    end = ProbeEnded(outcome, summary, text, frame_lines(frames), _place(frames), clip(name, 60))
    end.reached = not _came_before(described)
    return end


def _came_before(described: Mapping[str, Any]) -> bool:
    """Tell whether the module could not be imported, or lacks the name: then nothing of it was called."""
    if frames := described["frames"]:
        return frames[0]["function"] in ("", "<module>")
    lacks = described["type"] == "MissingName" and _NO_SUCH_NAME.match(described["message"])
    return described["type"] == "MissingModule" or bool(lacks)


_OURS = {
    "SystemExit": says("your code called sys.exit"),
    "MissingModule": says("a module of the week is missing"),
    "NotInstalled": says("your code needs what is not installed where you are graded"),
    "NotThere": says("your code needs what is not there where you are graded"),
    "MissingName": says("a name that the task asks for is missing"),
    "NotAsAsked": says("your network is not as the task asks"),
}


def _summary(name: str, text: str, inside: bool) -> str:
    """Say what kind of exception ended a check; `inside` tells whether it arose in the student's own files."""
    known = name if _is_builtin(name) else says("an exception")
    if name in _OURS:
        return _OURS[name]
    if inside:
        return says(f"your code raised {known}")
    if name == "TypeError" and _SIGNATURE.match(text):
        return says("your function cannot be called in the way that the task asks for")
    if name in ("TypeError", "AttributeError") and "NoneType" in text:
        return says("None came back (is a `return` missing?)")
    return says(f"your code could not be used, {known}")


def _is_builtin(name: str) -> bool:
    return isinstance(getattr(builtins, name, None), type)


def _place(frames: Sequence[Mapping[str, Any]]) -> str:
    if not frames:
        return ""
    file, line = frames[-1]["file"], frames[-1]["line"]
    return clip(f"{file}:{line}" if line else str(file), 100)


def frame_lines(frames: Iterable[dict[str, Any]]) -> str:
    """Return the student's own frames, innermost last, two lines each."""
    return _lines(
        f"  {_first(frame['file'])}"
        + (f":{frame['line']}" if frame["line"] else "")
        + (f" in {_first(frame['function'])}" if frame["function"] else "")
        + (f"\n      {_first(frame['code'])}" if frame["code"] else "")
        for frame in [*frames][-probing.MOST_FRAMES :]
    )


def _first(text: str) -> str:
    """Return the first line of what the student's process says, short enough to be read."""
    return "".join(text[:_LONGEST_LINE].splitlines()[:1])


def _failure(error: AssertionError, asked: Asked | None) -> str:
    if not isinstance(error, CheckFailed):
        return _lines([_about(clip(str(error), 600), asked), _called_as(asked)])
    first = clip(_about(_first_line(error), asked), _LONGEST_LINE)
    cut = error.because not in first if error.because else False
    return _lines(
        [
            first,
            _called_as(asked),
            _entry("expected", error.expected),
            _entry("got", error.got),
            _entry("where", error.where),
            _entry("because", error.because if cut else None),
        ]
    )


def _first_line(error: CheckFailed) -> str:
    """Say what is wrong and why; where nobody knows why, what was expected and what came, if that is short."""
    if error.because:
        return f"{error.summary}; {error.because}"
    expected, got = (_short(text or "") for text in (error.expected, error.got))
    if expected and got:
        return f"{error.summary}; {says(f'expected {expected}, got {got}')}"
    values = says(f"expected {expected}") if expected else says(f"got {got}") if got else ""
    return f"{error.summary}; {values}" if values else error.summary


def _short(text: str) -> str:
    """Return a value that fits into a message's first line; of one that does not, its type, where that is told."""
    typed = re.match(r"(\w+): ", text)
    return text if len(text) <= _LONGEST_VALUE else typed[1] if typed else ""


def _about(line: str, asked: Asked | None) -> str:
    """Begin a line with the student's function that it is about, unless it names that one already."""
    names = asked.names if asked else []
    if len(names) != 1 or re.search(rf"\b{re.escape(names[0])}\b", line):
        return line
    return f"{names[0]}: {line}"


def _called_as(asked: Asked | None) -> str:
    return _entry("called as", asked.text) if asked else ""


def _entry(label: str, text: str | None) -> str:
    return f"  {label:<12} {text}" if text else ""


def _lines(parts: Iterable[str]) -> str:
    lines = [line for part in parts if part for line in part.splitlines()]
    return "\n".join(
        line if len(line) <= _LONGEST_OF_ALL else f"{line[: _LONGEST_OF_ALL - 1]}…" for line in lines[:_MOST_LINES]
    )


def _crash(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" ({trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno})" if trace else ""
    return clip(f"{type(error).__name__}: {error}{place}", 400)
