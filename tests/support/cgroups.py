"""A model of the kernel's control groups (cgroups(7)), so that every layout of a host can be tried on any machine."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from grader.sandbox.cgroups.group import Kernel

ALL = frozenset({"cpu", "io", "memory", "pids"})


@dataclass
class Group:
    """One group: its processes, what it hands on, its other files, and whether we may write to it."""

    ours: bool = False
    processes: set[int] = field(default_factory=set)
    hands_on: set[str] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=dict)
    locked: bool = False


class Model(Kernel):
    """Refuses what the kernel would refuse. `top` is the real root, the only one that may have both."""

    def __init__(self, top: Path, controllers: Collection[str] = ALL, read_only: bool = False) -> None:
        self.top, self._all, self._read_only = top, {*controllers}, read_only
        self.groups_: dict[Path, Group] = {top: Group(hands_on={*controllers})}
        self.moved: list[int] = []

    def put(self, group: Path, *processes: int, ours: bool = False, hands_on: Collection[str] = ()) -> None:
        """Lay out a group, as it is before we come."""
        self.groups_[group] = Group(ours, {*processes}, {*hands_on})

    def where(self, process: int) -> Path:
        """Return the group of a process."""
        return next(path for path, group in self.groups_.items() if process in group.processes)

    def _found(self, path: Path) -> Group:
        if path not in self.groups_:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return self.groups_[path]

    def _has(self, path: Path) -> set[str]:
        return self._all if path == self.top else self._has(path.parent) & self.groups_[path.parent].hands_on

    def _may_write(self, path: Path) -> Group:
        group = self._found(path)
        if self._read_only:
            raise _error(errno.EROFS)
        if not group.ours:
            raise _error(errno.EACCES)
        return group

    def read(self, file: Path) -> str:
        group = self._found(file.parent)
        if file.name == "cgroup.controllers":
            return " ".join(sorted(self._has(file.parent)))
        if file.name == "cgroup.procs":
            return "".join(f"{process}\n" for process in sorted(group.processes))
        if file.name not in group.files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return group.files[file.name]

    def write(self, file: Path, text: str) -> None:
        group = self._may_write(file.parent)
        if file.name == "cgroup.subtree_control":
            self._hand_on(file.parent, group, {word.removeprefix("+") for word in text.split()})
        elif file.name == "cgroup.procs":
            self._move(int(text), file.parent, group)
        elif file.name.partition(".")[0] in self._has(file.parent) and file.parent != self.top:
            group.files[file.name] = text
        else:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def _hand_on(self, path: Path, group: Group, names: set[str]) -> None:
        if not names <= self._has(path):
            raise _error(errno.ENOENT)
        if group.processes and path != self.top:
            raise _error(errno.EBUSY)
        group.hands_on |= names

    def _move(self, process: int, path: Path, group: Group) -> None:
        if group.hands_on and path != self.top:
            raise _error(errno.EBUSY)
        before = self.where(process)
        common = next(above for above in (path, *path.parents) if above == before or above in before.parents)
        self._may_write(common)
        self.groups_[before].processes.remove(process)
        group.processes.add(process)
        self.moved.append(process)

    def make(self, group: Path) -> None:
        if group in self.groups_:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        self._may_write(group.parent)
        self.groups_[group] = Group(ours=True, files={"memory.events": "oom 0\noom_kill 0\n"})

    def remove(self, group: Path) -> None:
        self._may_write(group.parent)
        if self._found(group).processes or self.groups(group):
            raise _error(errno.EBUSY)
        del self.groups_[group]

    def kill(self, group: Path) -> None:
        self._may_write(group)
        for path, found in self.groups_.items():
            if path.is_relative_to(group):
                found.processes.clear()

    def groups(self, group: Path) -> list[Path]:
        self._found(group)
        return [path for path in self.groups_ if path.parent == group and path != group]

    def lock(self, group: Path) -> int:
        found = self._found(group)
        if found.locked:
            raise _error(errno.EWOULDBLOCK)
        found.locked = True
        return list(self.groups_).index(group)

    def unlock(self, lock: int) -> None:
        """Leave what is gone, or will be: the lock of a run that lives is never given back in a test."""


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
