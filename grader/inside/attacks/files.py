"""Tries to read, change and create files that are not its own."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .calls import attempt

HEAD = 200  # bytes that are read of a file
_OWN = ("/tmp", "/dev/shm")
_DEEPEST = 5  # of folders that are looked at: all others lie in the mount of one of these
_SET_USER = stat.S_ISUID | stat.S_ISGID
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
            make(path, name)
            yield name, name
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


def writable() -> list[str]:
    """Return folders that can be written to, beside the two that are meant to be; nothing is written."""
    return [folder for folder in _folders() if folder not in _OWN and os.access(folder, os.W_OK)]


def _folders() -> Iterator[str]:
    """Walk through all that is shown, as deep as separate mounts can lie, and not into the folders of its own."""
    for folder, folders, _ in os.walk("/"):
        yield folder
        if folder.count("/") >= _DEEPEST or folder in (*_OWN, "/proc", "/sys"):
            folders.clear()


def devices() -> list[str]:
    """Return device files beside the usual ones, and what says that one could be made."""
    found = [f"/dev/{name}" for name in os.listdir("/dev") if name not in _USUAL]
    made = "device"
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


def set_user_programs() -> list[str]:
    """Return programs of the system that run as another user, where such programs may."""
    return [path for folder in _folders() if folder.startswith("/usr") for path in _set_user_programs(folder)]


def _set_user_programs(folder: str) -> Iterator[str]:
    with contextlib.suppress(OSError):
        if os.statvfs(folder).f_flag & os.ST_NOSUID:
            return
        for entry in os.scandir(folder):
            if entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mode & _SET_USER:
                yield entry.path


def labels() -> Any:
    """Return how many bytes of the digits' labels can be read; None where scikit-learn is not there."""
    spec = find_spec("sklearn")
    if spec is None or spec.origin is None:
        return None
    size = 0
    for file in Path(spec.origin).parent.glob("datasets/data/digits.csv*"):
        with contextlib.suppress(OSError):
            size += len(file.read_bytes()[:HEAD])
    return size
