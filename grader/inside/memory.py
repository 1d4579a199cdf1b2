"""Makes forks of the zygote cheaper for the kernel: large pages, and fewer mappings.

For 2 MiB in one large page, a fork copies one entry instead of 512, and new memory costs one page fault instead of 512.
A fork takes some microseconds for each mapping, and every library comes as five mappings, of which two would do.
"""

from __future__ import annotations

import ctypes
import mmap
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

LARGE = 2 << 20
ROOM = 128 << 20  # bytes: more than most checks take for tensors at once
_LEFT = 16 << 10  # bytes at the heap's end that malloc_trim(3) cannot give back
_HUGEPAGE, _COLLAPSE = 14, 25  # of madvise(2), the second since Linux 6.1
_TOP_PAD, _USUAL_PAD = -2, 128 << 10  # of mallopt(3): the option, and what it is by default
_LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) [0-9a-f]+ (\S+ [0-9]+) *(.*)")
_NO_FILE = "00:00 0"


class Mapping(NamedTuple):
    """A line of /proc/self/maps: two addresses, rights as `r-xp`, device and inode of the file, and its name."""

    start: int
    end: int
    rights: str
    file: str
    name: str


def prepare() -> None:
    """Do all of it, as far as the kernel can."""
    make_room(ROOM)
    join()
    collapse()


def make_room(size: int) -> None:
    """Leave `size` untouched bytes at the end of the heap, which become large pages once something touches them.

    New blocks of less than `MALLOC_MMAP_THRESHOLD_` come from there, and not from holes in memory that forks share,
    where each small page is copied when it is written to. `MALLOC_TRIM_THRESHOLD_` has to be greater than the room.
    """
    give_back_room()
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(_TOP_PAD, size)
        _fill_holes()
        _libc.mallopt(_TOP_PAD, _USUAL_PAD)
    for start, end, *_, name in _own():
        if name == "[heap]":
            _libc.madvise(start, end - start, _HUGEPAGE)


def _fill_holes() -> None:
    """Allocate all free blocks between others, for good, until the heap has to grow."""
    end = _libc.sbrk(0) - _LEFT
    for power in range(17, 4, -1):
        for size in (3 << power - 1, 1 << power):
            while _libc.malloc(size - 8) < end:  # 8 bytes of a block are malloc's own
                pass


def give_back_room() -> None:
    """Cut the heap off behind its last used block, with glibc; other C libraries do not say how."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)


def collapse() -> int:
    """Collapse this process's own memory into large pages; return how many there are now."""
    return sum(_libc.madvise(page, LARGE, _COLLAPSE) == 0 for page in large_pages(_own()))


def large_pages(mappings: Iterator[Mapping]) -> Iterator[int]:
    """Yield the address of each whole large page in the private writable mappings without a file."""
    for start, end, rights, file, name in mappings:
        if (rights, file) == ("rw-p", _NO_FILE) and (not name or name.startswith(("[heap]", "[anon"))):
            yield from range(-(-start // LARGE) * LARGE, end // LARGE * LARGE, LARGE)


def join() -> int:
    """Join each library's read-only mappings with its code or data beside them; return how many got other rights.

    A mapping gets the rights of its neighbour, so that the kernel makes one of both. Nothing becomes both writable and
    executable.
    """
    changes = list(joined(_own()))  # all of them, before the first one changes the file that they are read from
    return sum(_libc.mprotect(start, end - start, rights) == 0 for start, end, rights in changes)


def joined(mappings: Iterator[Mapping]) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and new rights of each mapping that can be joined with one beside it."""
    for before, after in pairwise(mappings):
        if before.end != after.start or before.file != after.file or before.file == _NO_FILE:
            continue
        match before.rights, after.rights:
            case ("r--p", "r-xp"):
                yield before.start, before.end, mmap.PROT_READ | mmap.PROT_EXEC
            case ("r-xp", "r--p"):
                yield after.start, after.end, mmap.PROT_READ | mmap.PROT_EXEC
            case ("r--p", "rw-p"):
                yield before.start, before.end, mmap.PROT_READ | mmap.PROT_WRITE


def parsed(maps: str) -> Iterator[Mapping]:
    """Parse the lines of a file like /proc/self/maps."""
    for start, end, rights, file, name in _LINE.findall(maps):
        yield Mapping(int(start, 16), int(end, 16), rights, file, name)


def _own() -> Iterator[Mapping]:
    return parsed(Path("/proc/self/maps").read_text())


_libc = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_libc.malloc.argtypes, _libc.malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
_libc.sbrk.argtypes, _libc.sbrk.restype = (ctypes.c_ssize_t,), ctypes.c_void_p
