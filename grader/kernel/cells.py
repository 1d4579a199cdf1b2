"""Gives checks what a kernel's cells have defined, in place of a submission's modules."""

from __future__ import annotations

import ast
import io
import re
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from grader.checks.task_mark import TaskMark
from grader.inside import says
from grader.inside.elsewhere import elsewhere
from grader.inside.modules import StudentModules
from grader.inside.replacing import replaced
from grader.pytest_plugin import calls
from grader.pytest_plugin.seeds import check_seed, probe_seed
from grader.pytest_plugin.student import LocalStudent, Probe

MOST_PRINTED = 2**16  # characters of what one run of a probe prints
_CELL_FILE = re.compile(r"(?<![\w.-])([\w<>-]+(?:\.py)?)(?::(\d+))?")


class MissingName(AttributeError, NotImplementedError):
    """No cell that was run defines a name that a task asks for: the task is still to do."""


class Cells(ModuleType):
    """Stands for one of the week's modules. It has the kernel's names, or those of a module that a cell imported."""

    def __init__(self, name: str, names: Mapping[str, Any]) -> None:
        super().__init__(name)
        self._names = names

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self._names:
            return self._names[name]
        module = self._names.get(self.__name__)
        if isinstance(module, ModuleType) and hasattr(module, name):
            return getattr(module, name)
        raise MissingName(f"TODO: {says(f'run the cell that defines {name}; none has defined it yet')}")


class KernelModules(StudentModules):
    """Gives `Cells` for every module that a probe asks for. Nothing is imported."""

    def __init__(self, kernel: ModuleType) -> None:
        super().__init__(Path(), "notebook", {})
        self._kernel = kernel

    def elsewhere(self) -> AbstractContextManager[torch.device]:
        """Pretend within a `with` block that there is a second device."""
        return elsewhere()

    def instead(self, module: str, **helpers: Callable[[Any], Any]) -> AbstractContextManager[None]:
        """Let helpers be right within a `with` block, as in a submission's modules."""
        return replaced(self._load(module), [self._kernel], helpers)

    def _load(self, name: str) -> ModuleType:
        return Cells(name, vars(self._kernel))


class History:
    """The cells that were run, by the names that the kernel's compiler has given their code."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    @property
    def sources(self) -> dict[int, str]:
        """What was run, as it was typed, by the number that stands beside the cell.

        A cell that is no Python has run nothing: it has only been told so.
        """
        kept = self._shell.history_manager
        pairs = zip(kept.input_hist_raw, kept.input_hist_parsed, strict=True)
        return {
            number: typed
            for number, (typed, parsed) in enumerate(pairs)
            if number and typed.strip() and _compiles(parsed)
        }

    @property
    def folder(self) -> Path:
        """The folder in which the compiler pretends that cells lie."""
        return Path(self._file("", "", 0)).parent

    def names(self) -> dict[str, str]:
        """Return what a cell is called for people, by the file name that its code has."""
        parsed = self._shell.history_manager.input_hist_parsed
        found = {}
        for number, typed in self.sources.items():
            for end in ("", "\n"):  # the history drops a last line's end
                file = self._file(typed + end, parsed[number] + end, number)
                found[Path(file).name] = f"In [{number}]"
        return found

    def place(self, name: str) -> str:
        """Return the cell and line of the latest definition of a name; nothing where none is found."""
        pattern = re.compile(rf"^[ \t]*(?:(?:async +)?def|class) +{re.escape(name)}\b", re.MULTILINE)
        for number, typed in reversed(self.sources.items()):
            if found := pattern.search(typed):
                return f"In [{number}], line {typed.count(chr(10), 0, found.start()) + 1}"
        return ""

    def in_words(self, text: str) -> str:
        """Replace the compiler's file names by the cells' numbers: `3141.py:5` by `In [7], line 5`."""
        names = self.names()

        def cell(found: re.Match[str]) -> str:
            if found[1] not in names:
                return found[0]
            return names[found[1]] + (f", line {found[2]}" if found[2] else "")

        return _CELL_FILE.sub(cell, text)

    def _file(self, typed: str, parsed: str, number: int) -> str:
        file: str = self._shell.compile.get_code_name(typed, parsed, number)
        return file


def _compiles(source: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):  # the kernel has shown them
            compile(source, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


class KernelStudent(LocalStudent):
    """Runs probes on the kernel's names. What a run prints is kept, its end if it is long, and shown with a failure."""

    def __init__(
        self, modules: KernelModules, history: History, seed: int, seconds: float, hung: set[calls.Path]
    ) -> None:
        super().__init__(modules, history.folder, seed, seconds, hung=hung)
        self._history = history
        self._printed = ""

    @property
    def printed(self) -> str:
        """What the latest run printed."""
        return self._printed

    def run(self, probe: Probe, /, *args: Any, **kwargs: Any) -> Any:
        """Return the probe's evidence, as `LocalStudent.run` does."""
        with redirect_stdout(Tail()) as tail:
            try:
                return super().run(probe, *args, **kwargs)
            finally:
                self._printed = tail.getvalue()

    run_fresh = run

    @property
    def place(self) -> str:
        names = self.asked.names if self.asked else []
        return self._history.place(names[0]) if len(names) == 1 else ""


class Tail(io.StringIO):
    """Keeps the end of what is written to it, so that a loop which prints cannot fill the memory."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = ""

    def write(self, text: str) -> int:
        """Add a text."""
        self._kept = (self._kept + text)[-MOST_PRINTED:]
        return len(text)

    def getvalue(self) -> str:
        """Return what was kept."""
        return self._kept


class KernelStudents:
    """Provides the kernel as the submission under judgement."""

    at_desk = True  # somebody reads what comes of it

    def __init__(self, shell: Any, seed: int = 0) -> None:
        self.history = History(shell)
        self._modules = KernelModules(shell.user_module)
        self._seed = seed
        self._hung: set[calls.Path] = set()

    def open(self, item: pytest.Item, mark: TaskMark) -> KernelStudent:
        """Return the handle for one check."""
        seed = probe_seed(self.check_seed(item))
        return KernelStudent(self._modules, self.history, seed, mark.seconds, self._hung)

    def close(self, student: object) -> None:
        """Do nothing: the process is the kernel's."""

    def end(self) -> None:
        """Do nothing: what the kernel has is its own."""

    def check_seed(self, item: pytest.Item) -> int:
        """Return the seed that the check has at a student's desk, too."""
        return check_seed(b"public", self._seed, f"{item.path.name}::{item.name}")
