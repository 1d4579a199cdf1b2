"""Says when files of a folder have changed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watchfiles import Change, watch

STEP = 20  # milliseconds without another change until a save counts as done: editors write a file in several steps
LOOK = 1000  # milliseconds after which the folder itself is looked at: where it is moved, nothing is told
BACK = 5.0  # seconds until a folder that is gone does not count as coming back, as it does when git changes branches


def follow(folder: Path, ended: threading.Event, tell: Callable[[list[str]], None]) -> None:
    """Call `tell` with the names of Python files after each save, until `ended` is set or the folder is gone for good.

    Where another folder has taken its place, all its files count as saved.
    """
    polls = False
    while not ended.is_set():
        known = _identity(folder)
        try:
            _follow(folder, known, ended, tell, polls)
        except OSError:  # so many folders may be watched, on some systems: then it is looked at again and again
            if known and known == _identity(folder):
                if polls:
                    raise
                polls = True
                continue
        if ended.is_set() or not _is_back(folder, ended):
            return
        tell(sorted({path.name for path in folder.rglob("*.py")}))


def _follow(
    folder: Path, known: tuple[int, int] | None, ended: threading.Event, tell: Callable[[list[str]], None], polls: bool
) -> None:
    """Do as `follow`, as long as this is the same folder."""
    for changes in watch(
        folder,
        watch_filter=_is_source,
        step=STEP,
        debounce=200,
        stop_event=ended,
        rust_timeout=LOOK,
        yield_on_timeout=True,
        force_polling=polls or None,
    ):
        if changes:
            tell(sorted({Path(path).name for _, path in changes}))
        if _identity(folder) != known:
            return


def _identity(folder: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        found = folder.stat()
        return found.st_dev, found.st_ino
    return None


def _is_back(folder: Path, ended: threading.Event) -> bool:
    until = time.monotonic() + BACK
    while not folder.is_dir() and time.monotonic() < until:
        ended.wait(0.1)
    return folder.is_dir()


def _is_source(change: Change, path: str) -> bool:
    file = Path(path)
    return file.suffix in (".py", ".toml") and not file.name.startswith((".", "~")) and "__pycache__" not in file.parts
