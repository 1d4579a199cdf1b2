"""Stands in for libraries that are not installed, so that one costs only the code that needs it.

A student's `import wandb` gives a placeholder. Whatever a function does with it raises `NotInstalled`. While a file is
imported nothing raises: a decorated helper, a subclass, or `run = wandb.init()` beside the code that is asked for must
not cost that code anything. Where the student's own code would catch an ImportError, it gets one.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from .. import says
from .callers import is_caught, is_importing, is_students

_OPEN: dict[str, Path] = {}  # students' packages with their folders
_ORDINARY: list[Callable[..., Any]] = []  # the import function that is in use otherwise


class NotInstalled(ModuleNotFoundError):
    """Code uses a library that is not installed."""


def open_package(package: str, folder: Path) -> None:
    """Let the files of this package import what is not there."""
    if not _OPEN:
        _ORDINARY[:] = [builtins.__import__]
        builtins.__import__ = _import
    _OPEN[package] = folder


def close_package(package: str) -> None:
    """Undo `open_package`."""
    _OPEN.pop(package, None)
    if not _OPEN and builtins.__import__ is _import:
        builtins.__import__ = _ORDINARY.pop()


def _import(
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    """Import as Python does; give a student's file a placeholder for a library that cannot be imported."""
    try:
        return _ORDINARY[0](name, globals, locals, fromlist, level)
    except ImportError as error:
        if not (_is_students_import(globals) and _is_absent(error) and not is_caught(_OPEN.values())):
            raise
        asked = name or str(error.name)
        if level:
            error.name = asked = str(error.name or asked).rpartition(".")[2]
        missing = _missing(asked, error)
        return Absent(missing, asked if fromlist else asked.partition(".")[0], _why(missing, asked, error))


def _is_students_import(names: Mapping[str, Any] | None) -> bool:
    return str((names or {}).get("__name__", "")).partition(".")[0] in _OPEN


def _is_absent(error: ImportError) -> bool:
    """Tell whether a library is to blame, and no line of the student's own."""
    return type(error) in (ImportError, ModuleNotFoundError) and not any(
        is_students(file, _OPEN.values()) for file in _files(error.__traceback__)
    )


def _files(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename
        trace = trace.tb_next


def _missing(asked: str, error: ImportError) -> str:
    """Name what is not there: of `google.colab.drive` this may be `google.colab` alone."""
    name = error.name or ""
    return name if asked == name or asked.startswith(f"{name}.") else asked


def _why(missing: str, asked: str, error: ImportError) -> str:
    installed = says(f"{missing} is not installed where you are graded")
    if missing != asked or error.name in (None, asked):
        return f"{installed} ({says('nor is it among your files')})" if "." not in missing else installed
    return says(f"{missing} cannot be imported where you are graded, as it is not installed in full ({error})")


class Absent:
    """Anything of a library that is not installed: the library, what is in it, and what using that would give."""

    __all__: tuple[str, ...] = ()  # what a star import takes
    _error = NotInstalled  # what is raised where it is used
    _library: str
    _path: str
    _why: str

    def __init__(self, library: str, path: str, why: str) -> None:
        self.__dict__.update(_library=library, _path=path, _why=why)

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        return self._part(f".{name}")

    def __repr__(self) -> str:
        return f"<{self._path}: {self._why}>"

    def __bool__(self) -> bool:
        return False

    def __instancecheck__(self, value: object) -> bool:
        return False  # nothing can be of a class that is not there

    def __subclasscheck__(self, kind: type) -> bool:
        return False

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (type(f"{self._path} (not installed)", (_Base,), {"_absent": self}),)

    def _part(self, more: str) -> Absent:
        return type(self)(self._library, self._path + more, self._why)

    def _use(self, more: str) -> Absent:
        """Give a placeholder again while a file is imported, and raise otherwise."""
        if is_importing(_OPEN.values()) and not is_caught(_OPEN.values()):
            return self._part(more)
        raise self._error(f"{self._why}; {self._path} is used here", name=self._library)


class _Base:
    """Takes the place of a base class that is not there; its subclasses cannot be made objects of."""

    _absent: Absent

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__()

    def __new__(cls, *args: Any, **more: Any) -> Any:
        return cls._absent._use("()")


# What an operation on a placeholder gives while a file is imported; of all others, a placeholder.
_GIVEN: dict[str, Any] = {
    "len": 0, "int": 0, "index": 0, "float": 0.0, "contains": False, "exit": False, "iter": (), "setitem": None,
    "delitem": None,
}  # fmt: skip
_OPERATIONS = (
    *_GIVEN, "call", "getitem", "enter", "neg", "pos", "invert", "abs", "lt", "le", "gt", "ge",
    *(
        f"{side}{name}"
        for side in ("", "r", "i")
        for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "rshift")
    ),
)  # fmt: skip


def _operation(name: str) -> Callable[..., Any]:
    def operate(self: Absent, *args: Any, **more: Any) -> Any:
        used = self._use("()" if name == "call" else "")
        return iter(()) if name == "iter" else _GIVEN.get(name, used)

    return operate


for _name in _OPERATIONS:
    setattr(Absent, f"__{_name}__", _operation(_name))
