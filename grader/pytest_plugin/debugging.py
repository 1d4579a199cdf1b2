"""Opens the debugger in the student's code where a check fails: `pytest -x --pdb`.

Where their code has raised, it stops at their line. A wrong value has no such line: the example runs again, with
breakpoints in the functions that the check calls.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

import pytest
from _pytest.debugging import PdbInvoke, pytestPDB

from grader.inside.importing.callers import is_students
from grader.pytest_plugin.student import LocalStudent
from grader.pytest_plugin.verdict import raised_by_student

NAME = "pdbinvoke"  # as pytest calls its own plugin
_CALLED = ("forward", "__call__", "__init__")  # what a class is called by; the first that it defines is of interest
_KEYS = "n: next line, s: step into, p NAME: show a value, c: on to the next call, q: quit"


def stop_in_students_code(manager: pytest.PytestPluginManager) -> None:
    """Have checks open the debugger in the student's code, if this run has one; other tests keep pytest's way."""
    own = manager.getplugin(NAME)
    if isinstance(own, PdbInvoke):
        manager.unregister(own)
        manager.register(StudentsDebugger(own), NAME)


class StudentsDebugger:
    """Stands in the place of pytest's plugin that opens the debugger."""

    def __init__(self, own: PdbInvoke) -> None:
        self._own = own

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Do as pytest does."""
        self._own.pytest_internalerror(excinfo)

    def pytest_exception_interact(self, node: Any, call: pytest.CallInfo[Any], report: Any) -> None:
        """Open the debugger where a test has failed."""
        student = getattr(node, "funcargs", {}).get("student")
        if not isinstance(student, LocalStudent) or call.excinfo is None:
            self._own.pytest_exception_interact(node, call, report)
            return
        error = raised_by_student(call.excinfo.value, student)
        trace = _students_part(error.__traceback__ if error else None, student.folder)
        if error is not None and trace is not None:
            call.excinfo = pytest.ExceptionInfo.from_exception(error.with_traceback(trace))
            self._own.pytest_exception_interact(node, call, report)
            return
        writer = node.config.pluginmanager.getplugin("terminalreporter")._tw
        writer.line()
        report.toterminal(writer)
        report._pdbshown = True  # as pytest notes it: what was shown here is not shown again at the end
        codes = [] if error else list(dict.fromkeys(code for thing in student.asked_for() for code in _codes(thing)))
        if codes:
            _again(student, codes, writer.line)
        else:
            writer.line("No function of yours has run, so there is no line of yours to stop at.")


def _students_part(trace: TracebackType | None, folder: Path) -> TracebackType | None:
    """Return a traceback from the first of the student's frames to the last, without ours and the libraries' around."""
    whole = []
    while trace is not None:
        whole.append(trace)
        trace = trace.tb_next
    own = [number for number, one in enumerate(whole) if is_students(one.tb_frame.f_code.co_filename, [folder])]
    kept: TracebackType | None = None
    for one in reversed(whole[own[0] : own[-1] + 1] if own else []):
        kept = TracebackType(kept, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return kept


def _codes(thing: Any) -> Iterator[CodeType]:
    """Yield the code of a function; of a class, that of the method by which checks ask it for an answer."""
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if inspect.isclass(thing):
        methods = [vars(thing)[name] for name in _CALLED if name in vars(thing)]
        for method in methods[:1]:
            yield from _codes(method)
    elif inspect.isfunction(thing):
        yield thing.__code__


def _again(student: LocalStudent, codes: Iterable[CodeType], say: Callable[[str], None]) -> None:
    """Run the latest example again, and stop where these functions begin."""
    pdb: Any = pytestPDB._init_pdb("", header="the example again, with a breakpoint in your code (PDB)")  # type: ignore[no-untyped-call]
    for code in codes:
        pdb.set_break(code.co_filename, code.co_firstlineno, funcname=code.co_name)
        say(f"stops in {code.co_name} ({Path(code.co_filename).name}:{code.co_firstlineno}).  {_KEYS}")
    pdb._pytest_capman = None  # what the code prints stays visible after `c`
    before = sys.gettrace()
    pdb.reset()
    pdb.botframe = sys._getframe()
    pdb.set_continue()
    ended = "The example has run to its end."
    sys.settrace(pdb.trace_dispatch)
    try:
        student.run_again()
    except pytest.exit.Exception:
        raise
    except BaseException as error:
        ended = f"The example has ended with {type(error).__name__}."
    finally:
        sys.settrace(before)
        quits = pdb.quitting
        pdb.clear_all_breaks()
    if quits:
        pytest.exit("Quitting debugger")
    say(ended)
