"""Lets one run at a time have a gradebook to itself, while the desk may read and write it, too.

The kernel holds the claim, a lock on the gradebook's folder, and lets go of it when the process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

with contextlib.suppress(ImportError):  # Windows has none, and students there import what draws pages
    import fcntl

PATIENCE = 2.0  # seconds for which a run waits: the desk claims the folder for moments, to write a report


class Taken(Exception):
    """Another process has the gradebook for itself."""


class Claim:
    """A claim on a folder, until it is let go; `held` is False where the file system knows no such locks."""

    def __init__(self, folder: Path, patience: float = PATIENCE) -> None:
        self._folder: int | None = None
        folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._take(folder_fd, patience)
        except BaseException:
            os.close(folder_fd)
            raise

    @property
    def held(self) -> bool:
        return self._folder is not None

    def let_go(self) -> None:
        """Let others have it; a second time does nothing."""
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    def _take(self, folder: int, patience: float) -> None:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise Taken from None
                time.sleep(0.05)
            except OSError:  # a network's file system without such locks
                os.close(folder)
                return
            else:
                self._folder = folder
                return


def is_taken(folder: Path) -> bool:
    """Tell whether a run has the gradebook in a folder for itself just now."""
    try:
        claim = Claim(folder, patience=0)
    except Taken:
        return True
    except OSError:
        return False
    claim.let_go()
    return False
