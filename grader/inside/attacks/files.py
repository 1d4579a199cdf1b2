"""Tries to read, change and create files that are not its own."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .calls import attempt

HEAD = 200  # bytes that are read of a file
_OWN = ("/tmp", "/dev/shm")
_USUAL = {
    *("null", "zero", "full", "random", "urandom", "tty", "shm", "pts", "ptmx", "fd", "core"),
    *("stdin", "stdout", "stderr", "console", "mqueue"),
}


def read(paths: list[str]) -> dict[str, str]:
    """Return the beginning of each file and the names in each folder, of those that can be read."""
    found = {}
    for path in paths:
        with contextlib.suppress(OSError):
            found[path] = _content(path)
    return found


def _content(path: str) -> str:
    if os.path.isdir(path):
        return "\n".join(sorted(os.listdir(path)))
    with open(path, "rb") as file:
        return file.read(HEAD).decode("latin-1")


def detours(path: str) -> dict[str, str]:
    """Read a file through links, folders of processes, and what is open."""
    found = {}
    for name, detour in _detours(path):
        with contextlib.suppress(OSError):
            found[name] = _content(detour)
    return found


def _detours(path: str) -> Iterator[tuple[str, str]]:
    for make, name in ((os.symlink, "a symbolic link"), (os.link, "a hard link")):
        with contextlib.suppress(OSError):
            make(path, f"/tmp/{name}")
            yield name, f"/tmp/{name}"
    for process in ("self", "1", str(os.getppid())):
        for way in ("root", "cwd/../../../../../..", "task/1/root"):
            yield f"/proc/{process}/{way}", f"/proc/{process}/{way}{path}"
    for fd in range(8):
        yield f"descriptor {fd}", f"/dev/fd/{fd}/../../../../..{path}"


def harm(paths: list[str]) -> None:
    """Write to each file, change its rights and times, rename and remove it."""
    for path in paths:
        attempt(_append, path)
        attempt(os.chmod, path, 0o777)
        attempt(os.utime, path, (1, 1))
        attempt(os.rename, path, path + ".renamed")
        attempt(os.unlink, path)


def _append(path: str) -> None:
    with open(path, "a") as file:
        file.write("changed")


def create(paths: list[str]) -> None:
    """Create each of the files; whether they are there is seen outside."""
    for path in paths:
        attempt(_append, path)


def writable(seconds: float) -> list[str]:
    """Return folders that the kernel says can be written to, beside the two that are meant to be; nothing is written."""
    found, end = [], time.monotonic() + seconds
    for folder, folders, _ in os.walk("/"):
        if folder in _OWN or time.monotonic() > end:
            folders.clear()
        elif os.access(folder, os.W_OK):
            found.append(folder)
            folders.clear()
    return found


def devices() -> list[str]:
    """Return device files beside the usual ones, and what says that one could be made."""
    found = [f"/dev/{name}" for name in os.listdir("/dev") if name not in _USUAL]
    made = "/tmp/device"
    if not attempt(os.mknod, made, stat.S_IFBLK | 0o600, os.makedev(7, 0)):
        found.append("a new block device")
        os.unlink(made)
    return found


def kernel_files() -> list[str]:
    """Return what /proc and /sys show: at most some names."""
    found = []
    for folder in ("/proc", "/sys"):
        with contextlib.suppress(OSError):
            found += [f"{folder}/{name}" for name in sorted(os.listdir(folder))[:5]]
    return found


def set_user_programs(seconds: float) -> list[str]:
    """Return programs that would run as another user, where such programs may."""
    found, end = [], time.monotonic() + seconds
    for folder, folders, files in os.walk("/"):
        if folder in ("/proc", "/sys", *_OWN) or time.monotonic() > end:
            folders.clear()
            continue
        for path in (os.path.join(folder, name) for name in files):
            with contextlib.suppress(OSError):
                if os.lstat(path).st_mode & (stat.S_ISUID | stat.S_ISGID) and os.access(path, os.X_OK):
                    found.append(path)
    return [path for path in found if not os.statvfs(path).f_flag & os.ST_NOSUID]


def labels() -> Any:
    """Return how many bytes of the digits' labels can be read; None where scikit-learn is not there."""
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        return None
    files = Path(spec.origin).parent.glob("datasets/data/digits.csv*")
    return sum(len(file.read_bytes()[:HEAD]) for file in files)
