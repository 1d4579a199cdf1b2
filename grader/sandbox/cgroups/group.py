"""Limits each submission as a whole by a control group of its own (cgroup v2), where one can be had.

The kernel then counts everything that a submission's processes take, its own memory for them too, and ends them all at
the limit. A control group can be had below one that belongs to us (`home` looks for it). It has this form:

    home                 hands memory and pids on to what is below it, and so may hold no process itself
    ├─ rest              the processes of ours that were in `home`
    └─ run-…             one for each zygote; locked as long as that lives, so what dead ones left is known
       └─ a submission   memory.max, memory.swap.max, pids.max; killed and removed at its end
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import signal
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from grader.inside.confine import PROCESSES

PREFIX = "torch-autograder-"
REST = f"{PREFIX}rest"
_RUN = f"{PREFIX}run-"
_CONTROLLERS = ("memory", "pids")
_SLACK = 1.25  # a process alone meets its own limit first, with an exception that shows the place
_OWN = 8  # processes beyond what a submission may start: its keeper, and room so that its own limit is met first
_ROUNDS = 20  # looks at a group until no process is left in it
_GONE_SECONDS = 2.0  # killed processes have so long to end

Ours = Callable[[], Collection[int]]


class NoCgroup(Exception):
    """No control group can be had; the text says why."""


class Kernel:
    """The file system that control groups are made in. Each method raises `OSError` where the kernel refuses."""

    def read(self, file: Path) -> str:
        """Return what a file says."""
        return file.read_text(encoding="ascii")

    def write(self, file: Path, text: str) -> None:
        """Tell the kernel something, in one piece; make no file."""
        opened = os.open(file, os.O_WRONLY)
        try:
            os.write(opened, text.encode("ascii"))
        finally:
            os.close(opened)

    def make(self, group: Path) -> None:
        """Make a group."""
        group.mkdir()

    def remove(self, group: Path) -> None:
        """Remove a group without processes and groups in it."""
        group.rmdir()

    def kill(self, group: Path) -> None:
        """Kill the processes in a group and in those below; before Linux 5.14 in the group alone, one by one."""
        try:
            self.write(group / "cgroup.kill", "1")
        except FileNotFoundError:
            for pid in map(int, self.read(group / "cgroup.procs").split()):
                if pid:  # it can be seen from here
                    os.kill(pid, signal.SIGKILL)

    def groups(self, group: Path) -> list[Path]:
        """List the groups in a group."""
        return [Path(entry.path) for entry in os.scandir(group) if entry.is_dir(follow_symlinks=False)]

    def lock(self, group: Path) -> int:
        """Lock a group until `unlock`, or until this process and all its forks have ended."""
        opened = os.open(group, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(opened)
            raise
        return opened

    def unlock(self, lock: int) -> None:
        """Give a lock back, as far as no fork has it, too."""
        os.close(lock)


class Run:
    """Makes a group for each submission of one zygote. `NoCgroup` where `home` cannot have any."""

    def __init__(self, home: Path, ours: Ours, kernel: Kernel | None = None) -> None:
        self._kernel = kernel or Kernel()
        self._folder, self._lock = home, -1
        try:
            _hand_on(self._kernel, home, ours)
            sweep(home, self._kernel)
            self._open(home)
            self.group(0, 1 << 30).close()
        except OSError as error:
            self.close()
            raise NoCgroup(f"{home}: {error.strerror}") from None

    def _open(self, home: Path) -> None:
        """Make the folder of this run; another one that sweeps may take it for left over until it is locked."""
        for tries_left in (2, 1, 0):
            folder = home / f"{_RUN}{secrets.token_hex(6)}"
            self._kernel.make(folder)
            try:
                self._lock, self._folder = self._kernel.lock(folder), folder
                return _enable(self._kernel, folder)
            except OSError:
                self.close()
                _clear(self._kernel, folder)
                if not tries_left:
                    raise
        return None

    def group(self, pid: int, memory: int) -> Group:
        """Put a process into a group of its own, for its life and with all that it will start; 0 is none."""
        folder = self._folder / f"{pid}-{secrets.token_hex(4)}"
        self._kernel.make(folder)
        group = Group(folder, memory, self._kernel)
        try:
            group.confine(pid)
        except OSError:
            group.close()
            raise
        return group

    def close(self) -> None:
        """Kill what is left in all groups, and remove them."""
        if self._lock >= 0:
            _clear(self._kernel, self._folder)
            self._kernel.unlock(self._lock)
            self._lock = -1


class Group:
    """The control group of one submission. `limit` is what each of its processes may take."""

    def __init__(self, folder: Path, limit: int, kernel: Kernel) -> None:
        self.limit = limit
        self._folder = folder
        self._kernel = kernel

    def confine(self, pid: int) -> None:
        """Set the limits, and put the process in."""
        write, folder = self._kernel.write, self._folder
        write(folder / "memory.max", str(int(self.limit * _SLACK)))
        write(folder / "memory.oom.group", "1")  # which of them the kernel would end is not for chance to say
        write(folder / "pids.max", str(PROCESSES + _OWN))
        with contextlib.suppress(FileNotFoundError):  # a kernel without swap
            write(folder / "memory.swap.max", "0")
        if pid:
            write(folder / "cgroup.procs", str(pid))

    def exceeded(self) -> bool:
        """Tell whether the kernel has ended the processes because they reached the limit.

        `oom_kill` alone also counts those that it ended because the whole machine ran out of memory.
        """
        try:
            events = dict(line.split() for line in self._kernel.read(self._folder / "memory.events").splitlines())
        except OSError:
            return False
        return all(int(events.get(name, 0)) > 0 for name in ("oom", "oom_kill"))

    def close(self) -> None:
        """Kill what is left in it, and remove it."""
        _clear(self._kernel, self._folder)


def sweep(home: Path, kernel: Kernel | None = None) -> None:
    """Remove the groups of runs that were killed."""
    kernel = kernel or Kernel()
    for folder in kernel.groups(home):
        if folder.name.startswith(_RUN):
            with contextlib.suppress(OSError):  # it is locked by a run that lives, or another one sweeps it
                lock = kernel.lock(folder)
                _clear(kernel, folder)
                kernel.unlock(lock)


def _hand_on(kernel: Kernel, home: Path, ours: Ours) -> None:
    """Have `home` hand the controllers on; for that all its processes, which must be ours, move into a group below."""
    try:
        _enable(kernel, home)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        rest = home / REST
        with contextlib.suppress(FileExistsError):
            kernel.make(rest)
        _move(kernel, home, rest, ours)
        _enable(kernel, home)


def _enable(kernel: Kernel, folder: Path) -> None:
    missing = {*_CONTROLLERS} - {*kernel.read(folder / "cgroup.controllers").split()}
    if missing:
        raise NoCgroup(f"{folder}: there is no {' and no '.join(sorted(missing))} controller")
    kernel.write(folder / "cgroup.subtree_control", " ".join(f"+{name}" for name in _CONTROLLERS))


def _move(kernel: Kernel, home: Path, rest: Path, ours: Ours) -> None:
    for _ in range(_ROUNDS):
        found = {*map(int, kernel.read(home / "cgroup.procs").split())}
        if not found:
            return
        if not found <= {*ours()}:
            raise NoCgroup(f"{home}: there are processes of others in it")
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                kernel.write(rest / "cgroup.procs", str(pid))
    raise NoCgroup(f"{home}: processes start in it faster than they can be moved")


def _clear(kernel: Kernel, folder: Path) -> None:
    """Kill all processes below a group and remove it, as far as that works within some seconds."""
    with contextlib.suppress(OSError):
        kernel.kill(folder)
    for _ in _moments():
        try:
            for inner in kernel.groups(folder):
                _clear(kernel, inner)
            return kernel.remove(folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno != errno.EBUSY:
                return None
    return None


def _moments() -> Iterator[None]:
    end, pause = time.monotonic() + _GONE_SECONDS, 0.0005
    while time.monotonic() < end:
        yield
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
