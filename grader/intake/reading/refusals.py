"""Remembers entries whose reading took more than the budget: the same entry would cost it again on each run."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

MOST_BYTES = 256 << 20  # of an entry; a larger one is read anew each time, as is one of more files
MOST_FILES = 5_000

Key = tuple[str, str]  # the entry's name, and a digest of all that the refusal depends on


class Refusals:
    """Knows refusals by the entry's name and bytes. `reader` names what else they depend on: this version of us.

    `new` are those that came to it since it was made.
    """

    def __init__(self, reader: str = "", known: Mapping[Key, str] | None = None) -> None:
        self.new: dict[Key, str] = {}
        self._reader = reader
        self._known = dict(known or {})

    def find(self, path: Path, files: Iterable[Path], asked: str) -> str | None:
        """Return why an entry was refused, None if it was not; `asked` is what was asked of it."""
        if all(name != path.name for name, _ in self._known):
            return None  # most entries were never refused, and need not be digested
        key = self._key(path, files, asked)
        return self._known.get(key) if key else None

    def note(self, path: Path, files: Iterable[Path], asked: str, why: str) -> None:
        """Remember why an entry is refused."""
        if key := self._key(path, files, asked):
            self._known[key] = self.new[key] = why

    def _key(self, path: Path, files: Iterable[Path], asked: str) -> Key | None:
        digest = hashlib.sha256(repr((self._reader, asked)).encode())
        try:
            for number, (file, size) in enumerate(_regular(path, files)):
                if number == MOST_FILES:
                    return None
                content = _digest(file)
                digest.update(repr((os.path.relpath(file, path.parent), size, content)).encode())
        except (OSError, _TooLarge):
            return None
        return path.name, digest.hexdigest()


class _TooLarge(Exception):
    """There is too much to be digested on each run."""


def _regular(path: Path, files: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    """Yield the regular files of an entry with their sizes; no link is followed."""
    left = MOST_BYTES
    for file in _below([*files] or [path]):
        status = os.lstat(file)
        if stat.S_ISREG(status.st_mode):
            left -= status.st_size
            if left < 0:
                raise _TooLarge
            yield file, status.st_size


def _below(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir() or path.is_symlink():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names))


def _digest(file: Path) -> str:
    opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(opened, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
