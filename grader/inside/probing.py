"""Runs one probe beside the student's code, and describes what it raised in the student's own terms."""

from __future__ import annotations

import difflib
import linecache
import re
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from . import says
from .generators import seed_everything
from .importing.callers import CHECKS
from .importing.sources import LEFT_OUT
from .modules import ModuleEnded

MOST_FRAMES = 6
LONGEST_MESSAGE = 2000
_LAST_LINE = 2**31
_NOT_SHOWN = says("(an exception whose text cannot be shown)")
MOST_NAMES = 12
# Addresses and the names of temporary files change from run to run, and a report must not.
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # colours that some libraries put into their messages
_ADDRESS, _TEMPORARY = re.compile(r"0x[0-9a-fA-F]{6,}"), re.compile(r"\btmp[a-z0-9_]{8}\b")
_NO_MEMORY = ("can't allocate memory", "bad_alloc", "CUDA out of memory", "CUDA error: out of memory")


def call(probe: Callable[..., Any], student: Any, seed: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run the probe; return its evidence, not yet encoded."""
    seed_everything(seed)
    return probe(student, *args, **kwargs)


def outcome_of(error: BaseException) -> str:
    """Name the outcome that an exception of the student's code stands for."""
    text = message_of(error)
    if isinstance(error, ModuleEnded):
        return error.outcome
    if isinstance(error, NotImplementedError) and text.startswith("TODO"):
        return "todo"
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(part in text for part in _NO_MEMORY)):
        return "memory"
    return "error"


def message_of(error: BaseException) -> str:
    """Return `str(error)`, cut, even where the student's exception class cannot be printed."""
    try:
        return _cleaned(str(error))
    except BaseException:
        return _NOT_SHOWN


def _cleaned(text: str) -> str:
    return _TEMPORARY.sub("tmp…", _ADDRESS.sub("0x…", _ANSI.sub("", _text(text)[:LONGEST_MESSAGE])))


def describe(error: BaseException, folder: Path) -> dict[str, Any]:
    """Describe an exception as plain data: type, message, and the frames in the student's own files.

    Their code has made it, with any attributes, so nothing of it is what its type says.
    """
    try:
        return _described(error, folder)
    except BaseException:
        return {"outcome": "error", "type": "Exception", "message": _NOT_SHOWN, "frames": []}


def _described(error: BaseException, folder: Path) -> dict[str, Any]:
    frames = _frames(error.__traceback__, folder)
    message = message_of(error)
    if isinstance(error, SyntaxError):
        message = _cleaned(error.msg) if type(error.msg) is str else message
        file = Path(_text(error.filename))
        if folder in file.parents:
            frames.append(_place(file, folder, error.lineno, "", _text(error.text).strip()))
    missing = "" if frames else _missing_name(error, folder)  # in their own code Python's words are about their names
    return {
        "outcome": _text(outcome_of(error)),
        "type": "MissingName" if missing else _text(type(error).__name__),
        "message": _text(missing or message) + _left_out(error),
        "frames": frames[-MOST_FRAMES:],
    }


def _text(value: object) -> str:
    """Return the value if it is a text that can be written down: a subclass may be anything."""
    return str.encode(value, "utf-8", "replace").decode() if isinstance(value, str) else ""


def _left_out(error: BaseException) -> str:
    """Say what was left out of a student's notebook, where the error is that it is missing."""
    if type(error) is NameError and error.__traceback__ is not None:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        name, names = error.name, frame.f_globals
    elif type(error) is AttributeError and isinstance(error.obj, ModuleType):
        name, names = error.name, vars(error.obj)
    else:
        return ""
    left_out = names.get(LEFT_OUT)
    why = left_out.get(name) if type(left_out) is dict and type(name) is str else None
    return f" ({why[:LONGEST_MESSAGE]})" if type(why) is str else ""


def _missing_name(error: BaseException, folder: Path) -> str:
    """Say what a module of the student's or a network has in place of a name that it lacks; else return nothing."""
    try:
        if isinstance(error, AttributeError) and isinstance(error.name, str):
            what, names = _names_of(error.obj, folder)
            return lacks(what, error.name, names) if what else ""
    except BaseException:
        return ""  # the objects are the student's, and may do anything
    return ""


def _names_of(thing: object, folder: Path) -> tuple[str, list[str]]:
    """Name a module or a network, with what it defines; nothing for other objects."""
    if isinstance(thing, ModuleType):
        file = Path(thing.__file__ or "")
        names = [name for name, value in vars(thing).items() if getattr(value, "__module__", "") == thing.__name__]
        return (file.name, names) if folder in file.parents else ("", [])
    parts = getattr(thing, "__dict__", {})
    if type(parts.get("_modules")) not in (dict, OrderedDict):  # a torch.nn.Module keeps its layers there
        return "", []
    return type(thing).__name__, [name for kind in ("_modules", "_parameters", "_buffers") for name in parts[kind]]


def lacks(what: str, name: str, names: list[str]) -> str:
    """Say that something has no such name, what names it has, and which of them may be meant."""
    alike = difflib.get_close_matches(name, names, n=1)
    has = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
    if not has and not what.endswith(".py"):
        return says(f"{what} has no {name}; it has no layers (a plain list hides them; nn.ModuleList does not)")
    lacking = says(f"{what} has no {name}; it has {has}") if has else says(f"{what} has no {name}; it has nothing")
    return f"{lacking}; {says(f'did you mean {alike[0]}?')}" if alike else lacking


def _frames(trace: TracebackType | None, folder: Path) -> list[dict[str, Any]]:
    found = []
    for frame, line in traceback.walk_tb(trace):
        file = Path(frame.f_code.co_filename)
        if folder in file.parents and not CHECKS.fullmatch(file.name):
            linecache.checkcache(str(file))  # it was saved since, where one process checks again and again
            code = linecache.getline(str(file), line).strip()
            found.append(_place(file, folder, line, frame.f_code.co_name, code))
    return found


def _place(file: Path, folder: Path, line: object, function: str, code: str) -> dict[str, Any]:
    return {
        "file": _text(file.relative_to(folder).as_posix()),
        "line": line if type(line) is int and 0 <= line <= _LAST_LINE else 0,
        "function": _text(function),
        "code": _text(code)[:200],
    }
