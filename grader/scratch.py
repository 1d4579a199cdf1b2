"""Gives a run its temporary folder, which no kill leaves behind.

All that a run needs on disk for a while lies in one folder, which a `janitor` makes and removes. The folder counts as
used while any process holds its lock, and the kernel releases a lock when a process dies, however it dies. Where a
janitor was killed as well, the next run of the same user removes what is there and not in use.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from grader import janitor
from grader.errors import GraderError

with contextlib.suppress(ImportError):  # Windows has none: `held` does without a janitor there, as on macOS
    import fcntl

LINES = 15  # of a log that an error shows
_SECONDS = 60.0  # for a janitor to start, on a very busy machine
_LONGEST_PATH = 4096


class Scratch:
    """A new folder in that of the run, which is in use wherever `lock`, a descriptor, is passed on to."""

    def __init__(self) -> None:
        self._run = _place.enter()
        try:
            self.path = _made("judge-", self._run.path)
        except BaseException:
            _place.leave(self._run)
            raise
        self.lock = self._run.lock

    def remove(self) -> None:
        """Remove the folder with whatever is in it, and that of the run after its last use."""
        janitor.remove(self.path)
        _place.leave(self._run)


@contextlib.contextmanager
def held() -> Iterator[Path]:
    """Put all temporary files of this process, and of those that it starts, into the folder of the run."""
    if not hasattr(socket, "MSG_CMSG_CLOEXEC") or "fcntl" not in globals():  # Linux alone has what a janitor needs
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
        return
    run = _place.enter()
    before, tempfile.tempdir = tempfile.tempdir, str(run.path)
    try:
        yield run.path
    finally:
        tempfile.tempdir = before
        _place.leave(run)


def new_log() -> IO[bytes]:
    """Open a file in memory for what processes of ours say: it can be written where no disk can, and is on none.

    Only Linux has such files; elsewhere it is a temporary one.
    """
    if not hasattr(os, "memfd_create"):
        return tempfile.TemporaryFile()
    return os.fdopen(os.memfd_create("log"), "w+b")


def last_lines(log: IO[bytes]) -> str:
    """Return the last lines of a log after a colon, to end a sentence with; nothing where it is empty."""
    try:
        log.seek(0)
        lines = log.read().decode("utf-8", "replace").strip().splitlines()
    except ValueError:  # closed by whoever has ended the process
        return ""
    return ":\n" + "\n".join(lines[-LINES:]) if lines else ""


def tidy() -> None:
    """Remove this process's own temporary folder, where that belongs to a run."""
    own = Path(tempfile.gettempdir())
    if any(part.startswith(janitor.PREFIX) for part in own.parts):
        janitor.remove(own)


@dataclass
class _Run:
    """The folder that a janitor has made for this process, and how many use it. A fork has none."""

    path: Path
    lock: int
    owner: int
    users: int = 0


class _Place:
    """The folder of the run that this process is, while there is a use for it."""

    def __init__(self) -> None:
        self._run: _Run | None = None
        self._one_by_one = threading.Lock()

    def enter(self) -> _Run:
        with self._one_by_one:
            if self._run is None or self._run.owner != os.getpid():
                _sweep()
                self._run = _new()
                atexit.register(self._end)
            self._run.users += 1
            return self._run

    def leave(self, run: _Run) -> None:
        with self._one_by_one:
            run.users -= 1
            if not run.users and self._run is run:
                self._end()

    def _end(self) -> None:
        run, self._run = self._run, None
        if run is not None and run.owner == os.getpid():
            atexit.unregister(self._end)
            janitor.remove(run.path)
            os.close(run.lock)  # the janitor removes what could not be removed now


_place = _Place()


def _new() -> _Run:
    """Have a janitor make the folder. `GraderError` where there is no place for it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    program = [sys.executable, "-I", "-S", janitor.__file__, str(theirs.fileno()), _temporary()]
    null = subprocess.DEVNULL
    with ours:
        with theirs:
            process = subprocess.Popen(
                program, pass_fds=[theirs.fileno()], stdin=null, stdout=null, stderr=null, start_new_session=True
            )
        ours.settimeout(_SECONDS)
        try:
            said, locks, _, _ = socket.recv_fds(ours, _LONGEST_PATH, 1, socket.MSG_CMSG_CLOEXEC)
        except OSError:
            said, locks = b"", []
        process.wait()
    if locks:
        return _Run(Path(os.fsdecode(said)), locks[0], os.getpid())
    return _alone(said)


def _alone(said: bytes) -> _Run:
    """Make the folder here, as the janitor was killed before it could; where it could not, say why."""
    if said:
        raise _no_place(int(said.removeprefix(janitor.FAILED)))
    try:
        path, lock = janitor.new_folder(_temporary())
    except OSError as error:
        raise _no_place(error.errno or 0) from None
    return _Run(path, lock, os.getpid())


def _sweep() -> None:
    """Remove what killed runs of this user have left."""
    for path in Path(_temporary()).glob(f"{janitor.PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, in use, or just removed by another run
            lock = janitor.open_folder(path)
            try:
                if os.fstat(lock).st_uid == os.getuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    janitor.remove(path)
            finally:
                os.close(lock)


def _temporary() -> str:
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:  # it has tried to write in each folder that it knows
        raise _no_place(0) from None


def _made(prefix: str, parent: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    except OSError as error:
        raise _no_place(error.errno or 0) from None


def _no_place(number: int) -> GraderError:
    tried = os.environ.get("TMPDIR") or "the usual ones"
    why = os.strerror(number) if number else "none that can be written"
    return GraderError(f"there is no folder for temporary files ({tried}: {why}); set TMPDIR to one with room")
