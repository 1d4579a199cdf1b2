"""Attacks the promise that memory and disk run into a limit, with amounts that no machine suffers from.

A submission may have `_LIMIT` here. What an attack says that it held counts, as it could only say less than that; and
how it was ended, which the judge saw.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from grader.inside.confine import ROOM
from grader.sandbox.attack.findings import Attack, Group, Promised, Seen, nothing
from grader.sandbox.attack.ground import Ground

_MIB = 1 << 20
_LIMIT = 96  # MiB of one process; all together may have 1.25 times as much
_TRIED = 224
_FOLDER = ROOM // _MIB
_SECONDS = 6.0
_FILES, _DESCRIPTORS = 16_384, 256


def _hold(how: str, ground: Ground) -> Seen:
    """Try to hold more than twice the limit in one way."""
    end = ground.end_of("memory", how, _TRIED, seconds=_SECONDS, memory=_LIMIT * _MIB)
    if end.how in ("memory", "death"):
        return Seen(True, f"ended: {end}")
    held = end.evidence()
    return Seen(held <= 1.25 * _LIMIT, f"{held} MiB held, of {_TRIED} tried and {_LIMIT} allowed")


def _processes(ground: Ground) -> Seen:
    end = ground.end_of("memory", "processes", 4, _LIMIT // 2, seconds=_SECONDS, memory=_LIMIT * _MIB)
    return Seen(end.how in ("memory", "death"), f"ended: {end}" if end.how != "evidence" else "all held it")


def _folder(path: str, ground: Ground) -> Seen:
    held = ground.act("memory", "folder", _place(path, ground), _FOLDER + 32, seconds=_SECONDS)
    return Seen(held <= _FOLDER + 1, f"{held} MiB held, of {_FOLDER + 32} tried and {_FOLDER} allowed")


def _names(ground: Ground) -> Seen:
    count = ground.act("memory", "names", _place("/tmp", ground), _FILES + 500, seconds=_SECONDS)
    return Seen(count <= _FILES, f"{count} files, of {_FILES + 500} tried")


def _place(path: str, ground: Ground) -> str:
    """Return a folder to fill; without a sandbox it is one of this run's own, so that all of it is removed."""
    if ground.sandbox.confined:
        return path
    place = (ground.folder if path == "/tmp" else Path(path)) / f"grader-{ground.token}"
    place.mkdir(exist_ok=True)
    return str(place)


def _large_file(ground: Ground) -> Seen:
    size = ground.act("memory", "large_file", _FOLDER + 32)
    return Seen(size <= _FOLDER, f"{size} MiB long, of {_FOLDER + 32} tried")


def _descriptors(ground: Ground) -> Seen:
    count = ground.act("memory", "descriptors", _DESCRIPTORS + 50)
    return Seen(count <= _DESCRIPTORS, f"{count} opened, of {_DESCRIPTORS + 50} tried")


def _enlarged(ground: Ground) -> Seen:
    return nothing(ground.act("memory", "enlarged_buffers"), "they stay as they are")


def _buffers(ground: Ground) -> Seen:
    end = ground.end_of("memory", "buffers", 4, 48, seconds=_SECONDS, memory=_LIMIT * _MIB)
    if end.how in ("memory", "death"):
        return Seen(True, f"ended: {end}")
    held = end.evidence()
    return Seen(held <= 1.25 * _LIMIT, f"{held} MiB held, of 192 tried and {_LIMIT} allowed")


_WAYS = {
    "memory of its own": "private",
    "memory that counts as a stack": "stack",
    "shared memory without a file (MAP_SHARED)": "shared",
    "shared memory by way of /dev/zero": "zeros",
    "files in memory (memfd_create)": "memory_file",
    "shared memory of System V": "system_v",
}
GROUP = Group(
    "memory and disk",
    "A bomb of memory, shared memory or files hits a limit",
    (
        *(Attack(what, partial(_hold, how)) for what, how in _WAYS.items()),
        Attack("memory of several processes", _processes, Promised.ALWAYS),
        *(Attack(f"a full {path}", partial(_folder, path)) for path in ("/tmp", "/dev/shm")),
        Attack("a file that is too long", _large_file, Promised.ALWAYS),
        Attack("too many files", _names),
        Attack("too many descriptors", _descriptors, Promised.ALWAYS),
        Attack("larger buffers of sockets and pipes", _enlarged),
        Attack("usual buffers of sockets in several processes", _buffers, Promised.NEVER),
    ),
)
