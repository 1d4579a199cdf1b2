"""Gives judges temporary folders that no kill leaves behind for good.

A process locks the folder that it uses, and the kernel releases the lock when the process dies, however it dies. So a
run finds the folders of killed runs, and never takes one that is in use.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "grader-judge-"


class Scratch:
    """A new temporary folder. `lock` is a descriptor: the folder counts as used while any process has it open."""

    def __init__(self) -> None:
        self.path, self.lock = _new()

    def remove(self) -> None:
        """Remove the folder with whatever is in it."""
        _remove(self.path)
        os.close(self.lock)


def sweep() -> None:
    """Remove what killed runs of this user have left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, in use, or just removed by another run
            lock = _open(folder)
            try:
                if os.fstat(lock).st_uid == os.getuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _remove(folder)
            finally:
                os.close(lock)


def tidy() -> None:
    """Remove this process's own temporary folder, where that is one of ours."""
    folder = Path(tempfile.gettempdir())
    if folder.name.startswith(PREFIX):
        _remove(folder)


def _new() -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        with contextlib.suppress(FileNotFoundError):  # another run's sweep was faster than the lock
            lock = _open(path)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return path, lock
            os.close(lock)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _remove(folder: Path) -> None:
    """Remove a folder, also where a submission took away permissions in it."""
    for here, names, _ in os.walk(folder):
        for path in (Path(here, name) for name in names):
            if not path.is_symlink():
                with contextlib.suppress(OSError):
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
