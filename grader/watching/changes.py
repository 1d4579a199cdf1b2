"""Says when files of a folder have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import Change, watch

STEP = 20  # milliseconds without another change until a save counts as done: editors write a file in several steps


def follow(folders: Iterable[Path], ended: threading.Event, tell: Callable[[list[str]], None]) -> None:
    """Call `tell` with the names of Python files after each save, until `ended` is set."""
    for changes in watch(*folders, watch_filter=_is_source, step=STEP, debounce=200, stop_event=ended):
        tell(sorted({Path(path).name for _, path in changes}))


def _is_source(change: Change, path: str) -> bool:
    file = Path(path)
    return file.suffix in (".py", ".toml") and not file.name.startswith((".", "~")) and "__pycache__" not in file.parts
