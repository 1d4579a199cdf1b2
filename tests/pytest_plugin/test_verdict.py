from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import coverage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks import expect
from grader.checks.task_mark import TaskMark
from grader.errors import CourseError
from grader.inside.modules import close_modules, open_modules
from grader.pytest_plugin import deadline
from grader.pytest_plugin.calls import Asked
from grader.pytest_plugin.student import LocalStudent, ProbeEnded
from grader.pytest_plugin.verdict import Verdict, exception_end, verdict_on
from grader.results import Outcome

MARK = TaskMark("5.1", 3, "a title")


TASKS = {"5.1", "5.2", "5.10"}


def pooled(student: Any, size: int) -> Any:
    return student.lenet.pool_size(size)


def remote(place: str = "lenet.py:3") -> Any:
    return SimpleNamespace(asked=Asked(pooled, (7,)), place=place)


def raised(error: BaseException) -> BaseException:
    """The exception with a traceback, as it reaches the plugin."""
    try:
        raise error
    except BaseException as caught:
        return caught


def wrong(**parts: str) -> expect.CheckFailed:
    return expect.CheckFailed("size: wrong value", **parts)


def test_a_forged_exception_of_any_length_becomes_a_short_message() -> None:
    text = 100_000 * "x"
    frame = {"file": text, "line": 3, "function": text, "code": f"one\n{text}\n  expected     5"}
    end = exception_end({"outcome": "error", "type": text, "message": text, "frames": [frame] * 50})
    message = verdict_on(raised(end), MARK, remote(text)).message
    assert len(message) < 10_000
    assert "  expected     5" not in message.splitlines()


def test_no_line_of_a_failure_is_longer_than_can_be_read() -> None:
    text = 1_000_000 * "x"
    long = expect.CheckFailed(text, expected=text, got=text, where=text, because=text)
    assert len(verdict_on(long, MARK, remote()).message) < 10_000


def test_no_exception_is_a_pass() -> None:
    assert verdict_on(None, MARK, remote()) == Verdict(Outcome.PASSED)


def test_a_failure_lists_what_is_known_and_leaves_out_the_rest() -> None:
    verdict = verdict_on(wrong(expected="3", got="4", because="x"), MARK, remote())
    assert verdict.outcome is Outcome.FAILED
    assert verdict.message.splitlines() == [
        "pool_size: size: wrong value; x",
        "  called as    pool_size(7)",
        "  expected     3",
        "  got          4",
    ]


def test_a_wrong_type_or_shape_is_noted() -> None:
    with pytest.raises(expect.CheckFailed) as error:
        expect.equal("3", 3, "size")
    assert verdict_on(error.value, MARK, remote()).wrong_form
    assert not verdict_on(wrong(), MARK, remote()).wrong_form


def test_a_plain_assertion_is_a_failure_with_its_own_text() -> None:
    error = raised(AssertionError("4 is not 3"))
    message = verdict_on(error, MARK, remote()).message
    assert message == "pool_size: 4 is not 3\n  called as    pool_size(7)"


@pytest.mark.parametrize(
    "error",
    [KeyError("k"), CourseError("no probes"), ValueError("odd"), SystemExit(0), NotImplementedError("TODO 5.1")],
)
def test_any_other_exception_in_a_check_is_the_courses_fault(error: BaseException) -> None:
    verdict = verdict_on(raised(error), MARK, remote())
    assert verdict.outcome is Outcome.BROKEN
    assert type(error).__name__ in verdict.message
    assert "test_verdict.py:" in verdict.message


def test_groups_are_judged_by_their_first_exception() -> None:
    group = BaseExceptionGroup("several", [wrong(), ValueError("second")])
    assert verdict_on(group, MARK, remote()).outcome is Outcome.FAILED


def test_an_end_in_a_worker_says_all_that_is_known() -> None:
    end = ProbeEnded(Outcome.ERROR, "your code raised ValueError", "7", "  lenet.py:4", "lenet.py:4", "ValueError")
    verdict = verdict_on(end, MARK, remote())
    assert verdict.message.splitlines() == [
        "your code raised ValueError: 7 (lenet.py:4), in pool_size(7)",
        "  called as    pool_size(7)",
        "  lenet.py:4",
    ]
    assert (verdict.place, verdict.cause) == ("lenet.py:4", "ValueError (lenet.py:4)")


def test_what_ended_outside_their_files_is_one_cause_where_function_and_words_are_the_same() -> None:
    end = ProbeEnded(Outcome.ERROR, "None came back", "cannot unpack", raised="TypeError")
    causes = {verdict_on(end, MARK, remote(place)).cause for place in ("lenet.py:3", "lenet.py:3", "lenet.py:9")}
    assert causes == {"None came back: cannot unpack (lenet.py:3)", "None came back: cannot unpack (lenet.py:9)"}


@pytest.mark.parametrize(
    ("text", "outcome", "message"),
    [
        ("TODO 5.1: compute the size", Outcome.TODO, "TODO 5.1: compute the size"),
        ("TODO", Outcome.TODO, "TODO"),
        ("TODO later", Outcome.TODO, "TODO later"),
        ("TODO 5.2: build the model", Outcome.SKIPPED, "needs task 5.2, which is still to do"),
        ("TODO 5.10: more", Outcome.SKIPPED, "needs task 5.10, which is still to do"),
    ],
)
def test_a_todo_is_the_tasks_own_or_one_that_the_check_waits_for(text: str, outcome: Outcome, message: str) -> None:
    verdict = verdict_on(ProbeEnded(Outcome.TODO, text), MARK, remote(), TASKS)
    assert verdict == Verdict(outcome, message)


def test_nothing_waits_for_a_task_that_the_course_does_not_have() -> None:
    verdict = verdict_on(ProbeEnded(Outcome.TODO, "TODO 5.99: 7"), MARK, remote(), TASKS)
    assert verdict == Verdict(Outcome.TODO, "TODO 5.99: 7")


def described(**changes: Any) -> dict[str, Any]:
    return {"outcome": "error", "type": "ValueError", "message": "m", "frames": [], **changes}


FRAME = {"file": "lenet.py", "line": 3, "function": "f", "code": "return x"}


@pytest.mark.parametrize(
    ("kind", "text", "first"),
    [
        (
            "OSError",
            "pytest: reading from stdin while output is captured! Consider using `-s`.",
            "OSError: pytest: reading from stdin while output is captured; nobody answers input() here",
        ),
        (
            "RuntimeError",
            "mean(): could not infer output dtype. Input dtype must be floating point. Got: Long",
            "RuntimeError: mean(): could not infer output dtype; whole numbers have no mean",
        ),
    ],
)
def test_what_we_know_better_takes_the_place_of_a_librarys_advice(kind: str, text: str, first: str) -> None:
    end = exception_end(described(type=kind, message=text, frames=[FRAME]))
    assert verdict_on(end, MARK, None).message.startswith(f"your code raised {first}")


@pytest.mark.parametrize(
    ("changes", "summary"),
    [
        ({"frames": [FRAME]}, "your code raised ValueError"),
        ({"frames": []}, "your code could not be used, ValueError"),
        (
            {"type": "TypeError", "message": "f() got an unexpected keyword argument 'x'"},
            "your function cannot be called in the way that the task asks for",
        ),
        (
            {"type": "TypeError", "message": "cannot unpack non-iterable NoneType object"},
            "None came back (is a `return` missing?)",
        ),
        ({"type": "MissingName"}, "a name that the task asks for is missing"),
        ({"type": "Secret123", "frames": [FRAME]}, "your code raised an exception"),
        ({"type": "print", "frames": [FRAME]}, "your code raised an exception"),
        ({"type": "SystemExit", "frames": [FRAME]}, "your code called sys.exit"),
        ({"outcome": "memory", "type": "MemoryError"}, "memory ran out"),
        ({"outcome": "killed"}, "importing one of your modules ended the process"),
        ({"outcome": "timeout"}, "importing one of your modules did not end in time"),
    ],
)
def test_an_exception_is_summarised_without_its_details(changes: dict[str, Any], summary: str) -> None:
    assert exception_end(described(**changes)).summary == summary


@settings(deadline=None)
@given(outcome=st.sampled_from([*map(str, Outcome), ""]) | st.text(), kind=st.text(), message=st.text())
def test_no_forged_description_passes_breaks_or_waits(outcome: str, kind: str, message: str) -> None:
    end = exception_end(described(outcome=outcome, type=kind, message=message, frames=[FRAME]))
    assert end.outcome in (Outcome.ERROR, Outcome.TODO, Outcome.MEMORY, Outcome.TIMEOUT, Outcome.KILLED)
    if end.outcome is not Outcome.TODO and len(message.strip()) > 60:
        assert message not in end.summary


def test_long_messages_are_cut() -> None:
    end = exception_end(described(message="x" * 5000, frames=[FRAME] * 200))
    assert len(verdict_on(end, MARK, remote()).message.splitlines()) <= 30
    assert len(end.says) < 500


# At a student's desk the exception itself arrives, from code that ran in this process.


def asked_of_f(student: Any, size: int) -> Any:
    return student.lenet.f(size)


@pytest.fixture(params=["alarm", "thread"])
def interruption(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to stop code: by a signal, and where there is none, as on Windows, by a thread."""
    if request.param == "thread":
        monkeypatch.delattr(signal, "setitimer")


def local_verdict(tmp_path: Path, source: str | None, seconds: float = 5.0) -> Verdict:
    if source is not None:
        (tmp_path / "lenet.py").write_text(source)
    modules = open_modules(tmp_path, "week5")
    student = LocalStudent(modules, tmp_path, 0, seconds)
    try:
        student.run(asked_of_f, 7)
    except BaseException as error:
        return verdict_on(error, MARK, student, TASKS)
    finally:
        close_modules(modules)
    return verdict_on(None, MARK, student, TASKS)


LOCAL = {
    Outcome.PASSED: "return n",
    Outcome.TODO: "raise NotImplementedError('TODO 5.1: x')",
    Outcome.ERROR: "return n / 0",
    Outcome.MEMORY: "raise MemoryError",
    Outcome.INVALID: "return {1}",
    Outcome.TIMEOUT: "while True: pass",
    Outcome.SKIPPED: "raise NotImplementedError('TODO 5.2: x')",
}


@pytest.mark.usefixtures("interruption")
@pytest.mark.parametrize("outcome", LOCAL)
def test_local_ends_have_the_outcomes_of_graded_ones(tmp_path: Path, outcome: Outcome) -> None:
    verdict = local_verdict(tmp_path, f"def f(n):\n    {LOCAL[outcome]}\n", seconds=0.2)
    assert verdict.outcome is outcome
    assert ("called as    f(7)" in verdict.message) == (
        outcome in (Outcome.ERROR, Outcome.MEMORY, Outcome.INVALID, Outcome.TIMEOUT)
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f(n:\n    return n\n", "your code raised SyntaxError: '(' was never closed (lenet.py:1)\n  lenet.py:1"),
        ("1 / 0\ndef f(n): ...\n", "your code raised ZeroDivisionError: division by zero (lenet.py:1)\n  lenet.py:1"),
        ("def g(n): ...\n", "a name that the task asks for is missing: lenet.py has no f; it has g"),
        ("", "a name that the task asks for is missing: lenet.py has no f; it has nothing"),
        (None, "a module of the week is missing: lenet.py is missing from the submission, which has no Python file"),
    ],
)
def test_a_function_that_was_never_reached_is_not_said_to_be_called(
    tmp_path: Path, source: str | None, message: str
) -> None:
    for name in ("probes.py", "test_week5.py"):  # the checks lie there, too
        (tmp_path / name).write_text("")
    verdict = local_verdict(tmp_path, source)
    assert verdict.message.startswith(message)
    assert "f(7)" not in verdict.message


@pytest.mark.parametrize("code", ["assert n == 8", "raise AssertionError('mine')", "import sys; sys.exit(0)"])
def test_a_students_own_assertion_or_exit_is_an_error_of_theirs(tmp_path: Path, code: str) -> None:
    verdict = local_verdict(tmp_path, f"def f(n):\n    {code}\n")
    assert verdict.outcome is Outcome.ERROR
    assert "lenet.py:2" in verdict.message


@pytest.mark.usefixtures("interruption")
def test_a_timeout_shows_where_the_loop_is(tmp_path: Path) -> None:
    verdict = local_verdict(tmp_path, "def f(n):\n    while True:\n        n += 1\n", seconds=0.2)
    assert verdict.message.startswith("timeout after 0.2 s")
    assert "lenet.py:" in verdict.message


@contextlib.contextmanager
def traced(trace: Any) -> Iterator[None]:
    """Have each line traced. The debugger, or what measures, that this very run has comes back."""
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def coverages_trace() -> Any:
    """Return what coverage traces by; from Python 3.14 on that is nothing."""
    measured = coverage.Coverage(data_file=None, config_file=False)
    before = sys.gettrace()
    measured.start()
    try:
        return sys.gettrace()
    finally:
        measured.stop()
        sys.settrace(before)


@pytest.mark.usefixtures("interruption")
def test_what_measures_lines_lifts_no_limit(tmp_path: Path) -> None:
    with traced(coverages_trace()):
        verdict = local_verdict(tmp_path, "def f(n):\n    while True:\n        n += 1\n", seconds=0.2)
    assert verdict.outcome is Outcome.TIMEOUT


@pytest.mark.usefixtures("interruption")
@pytest.mark.parametrize("debugs", ["tracing", "monitoring"])
def test_whoever_debugs_has_all_the_time_they_need(
    tmp_path: Path, debugs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if debugs == "monitoring":
        tools = SimpleNamespace(DEBUGGER_ID=0, get_tool=lambda number: "debugpy" if number == 0 else None)
        monkeypatch.setattr(sys, "monitoring", tools, raising=False)
    source = (
        "import time\ndef f(n):\n    end = time.monotonic() + 1\n    while time.monotonic() < end: pass\n    return n\n"
    )
    with traced(steps if debugs == "tracing" else None):
        assert local_verdict(tmp_path, source, seconds=0.2).outcome is Outcome.PASSED


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("interruption")
@pytest.mark.parametrize("code", ["return n", "while True: pass"])
def test_after_a_limit_a_debugger_runs_what_it_is_given(tmp_path: Path, code: str) -> None:
    local_verdict(tmp_path, f"def f(n):\n    {code}\n", seconds=0.2)
    with traced(steps):
        assert asked_of_f(SimpleNamespace(lenet=SimpleNamespace(f=lambda size: size + 1)), 1) == 2


def steps(frame: object, event: str, arg: object) -> None:
    """Trace as a debugger does that we do not know."""


@pytest.mark.usefixtures("interruption")
def test_a_long_import_costs_no_check_its_time(tmp_path: Path) -> None:
    source = "import time\ntime.sleep(0.5)\ndef f(n):\n    return n\n"
    assert local_verdict(tmp_path, source, seconds=0.2).outcome is Outcome.PASSED


@pytest.mark.usefixtures("interruption")
def test_an_import_in_the_middle_of_a_check_is_let_finish(tmp_path: Path) -> None:
    (tmp_path / "slow_library.py").write_text("import time\ntime.sleep(0.5)\nVALUE = 3\n")
    source = "def f(n):\n    import slow_library\n    while slow_library.VALUE: pass\n"
    verdict = local_verdict(tmp_path, source, seconds=0.2)
    assert verdict.outcome is Outcome.TIMEOUT  # and not in the import
    assert "lenet.py:3" in verdict.message


@pytest.mark.usefixtures("interruption")
def test_a_loop_around_a_bare_except_exception_is_stopped_all_the_same(tmp_path: Path) -> None:
    loop = "def f(n):\n    while True:\n        try: n += 1\n        except Exception: pass\n"
    assert local_verdict(tmp_path, loop, seconds=0.2).outcome is Outcome.TIMEOUT


@pytest.mark.usefixtures("interruption")
def test_one_slow_call_of_a_library_is_called_slow_and_no_endless_loop(tmp_path: Path) -> None:
    verdict = local_verdict(
        tmp_path, "import textwrap\ndef f(n):\n    textwrap.fill('word ' * 4_000_000)\n", seconds=0.2
    )
    assert verdict.message.startswith("timeout after 0.2 s: too slow, most of it is one call of textwrap (fill)")
    verdict = local_verdict(
        tmp_path, "import textwrap\ndef f(n):\n    while True: textwrap.fill('word')\n", seconds=0.3
    )
    assert verdict.message.startswith("timeout after 0.3 s: an endless loop, or far too slow")


@pytest.mark.parametrize(
    ("passed", "computed", "slow"), [(0.4, 0.4, "books (read)"), (0.4, 0.01, None), (2.0, 0.01, "books (read)")]
)
def test_a_call_that_was_not_looked_at_is_slow_where_it_computed_and_not_where_the_machine_was_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passed: float, computed: float, slow: str | None
) -> None:
    wall, cpu = iter([0.0, passed]), iter([0.0, computed])
    monkeypatch.setattr(deadline.time, "monotonic", lambda: next(wall))
    monkeypatch.setattr(deadline.time, "process_time", lambda: next(cpu))
    library: dict[str, Any] = {"__name__": "books"}
    exec("import sys\ndef read(look): return look(sys._getframe())", library)
    own: dict[str, Any] = {}
    exec(compile("def f(read, look): return read(look)", str(tmp_path / "lenet.py"), "exec"), own)
    clock = deadline.Clock(0.3, tmp_path)
    assert own["f"](library["read"], clock.is_over) == (slow is not None)
    assert clock.slow == (slow or "")


@pytest.mark.usefixtures("interruption")
def test_an_import_that_was_cut_short_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "OWN_SECONDS", 0.3)
    (tmp_path / "lenet.py").write_text(
        "import os, time\nif not os.path.exists(__file__ + '.seen'):\n    open(__file__ + '.seen', 'w').close()\n"
        "    while True: time.sleep(0.01)\ndef f(n):\n    return n\n"
    )
    modules = open_modules(tmp_path, "week5")
    student = LocalStudent(modules, tmp_path, 0, 5.0)
    try:
        assert student.run(asked_of_f, 7) == 7
    finally:
        close_modules(modules)


def test_a_function_that_hung_has_less_time_in_the_checks_that_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.pytest_plugin.student.AGAIN_SECONDS", 0.05)
    (tmp_path / "lenet.py").write_text(
        "def f(n):\n    while n: pass\n    return n\ndef pool_size(n):\n    while n: pass\n"
    )
    modules = open_modules(tmp_path, "week5")
    hung: set[tuple[str, ...]] = set()
    took = []
    try:
        for probe in (asked_of_f, asked_of_f, pooled):
            with pytest.raises(deadline.DeadlineExceeded) as stopped:
                LocalStudent(modules, tmp_path, 0, 0.5, hung=hung).run(probe, 7)
            took.append(stopped.value.seconds)
        assert LocalStudent(modules, tmp_path, 0, 0.5, hung=hung).run(asked_of_f, 0) == 0
    finally:
        close_modules(modules)
    assert took == [0.5, 0.1, 0.5]
