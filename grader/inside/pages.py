"""Large pages for what the zygote holds: a fork copies one entry for 2 MiB instead of 512, and takes a third."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path

LARGE = 2 << 20
_COLLAPSE = 25  # MADV_COLLAPSE of madvise(2), since Linux 6.1
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0\s*(\[heap\]|\[anon.*)?$", re.MULTILINE)


def collapse() -> int:
    """Collapse this process's own memory into large pages where the kernel can; how many there are now."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    maps = Path("/proc/self/maps").read_text()
    return sum(libc.madvise(page, LARGE, _COLLAPSE) == 0 for page in large_pages(maps))


def large_pages(maps: str) -> Iterator[int]:
    """The addresses of all whole large pages in the private writable mappings without a file."""
    for match in _MAPPING.finditer(maps):
        start, end = (int(address, 16) for address in match.group(1, 2))
        yield from range(-(-start // LARGE) * LARGE, end // LARGE * LARGE, LARGE)
