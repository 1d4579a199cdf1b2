"""Removes the temporary folder of a run once every process that uses it has ended: `python janitor.py FD PARENT`.

It is a program of its own, and nobody's child, so that it outlives a run that is killed at any moment, with all of its
processes. It makes the folder itself: there is no moment in which a folder exists and nobody is there to remove it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

with contextlib.suppress(ImportError):  # Windows has none, and needs no janitor
    import fcntl

PREFIX = "grader-run-"
FAILED = b"\0"  # before the number of an error, where there would be the path
PATIENCE = 120.0  # seconds for orphans of a submission that still write into the folder
PAUSE = 0.05
# What ends a run may reach all of its session or control group; the janitor ends when its work is done.
_DEAF_TO = [
    getattr(signal, name)
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
]


def main(fd: str, parent: str) -> int:
    """Make a folder, send its path and lock to the owner's socket, and remove it when the lock is free again."""
    for number in _DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    if os.fork():
        return 0
    os.chdir("/")
    with socket.socket(fileno=int(fd)) as owner:
        try:
            path, lock = new_folder(parent)
        except OSError as error:
            owner.send(FAILED + str(error.errno).encode())
            return 1
        with contextlib.suppress(OSError):  # the owner has been killed already
            socket.send_fds(owner, [os.fsencode(path)], [lock])
    os.close(lock)
    _remove_when_free(path)
    return 0


def new_folder(parent: str) -> tuple[Path, int]:
    """Make a folder; return its path, and a descriptor that counts as its use in any process that has it open."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        with contextlib.suppress(FileNotFoundError):  # another run's sweep was faster than the lock
            lock = open_folder(path)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                return path, lock
            os.close(lock)


def open_folder(path: Path) -> int:
    """Open a folder that is no link."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def remove(path: Path) -> None:
    """Remove a folder, also where a submission took away permissions in it."""
    for here, names, _ in os.walk(path):
        for inner in (Path(here, name) for name in names):
            if not inner.is_symlink():
                with contextlib.suppress(OSError):
                    inner.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)


def _remove_when_free(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # the run has ended well and has removed it
        lock = open_folder(path)
        fcntl.flock(lock, fcntl.LOCK_EX)
    end = time.monotonic() + PATIENCE
    while _is_there(path) and time.monotonic() < end:
        remove(path)
        time.sleep(PAUSE)


def _is_there(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        path.lstat()
        return True
    return False


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
