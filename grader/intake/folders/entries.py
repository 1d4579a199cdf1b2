"""Lists a class folder's entries, whether it lies on disk or in a zip as it was downloaded.

An entry in a zip has the path of the zip with its own behind it; who reads such a path finds the zip on the way
(`container`). Paths on disk are asked through `os.path`, which answers False where permission is lacking;
methods of `Path` raise there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from grader.errors import UsageError


class Entry(Protocol):
    """A file or folder of a class."""

    @property
    def path(self) -> Path: ...

    @property
    def is_folder(self) -> bool: ...

    @property
    def is_link(self) -> bool: ...

    def inner(self) -> Sequence[Entry]:
        """Return what the folder holds, sorted by name; nothing for files and links, and where it cannot be read."""

    def holds(self, name: str) -> bool:
        """Tell whether a file or folder of this name lies in the folder."""


@dataclass(frozen=True)
class DiskEntry:
    """An entry on disk."""

    path: Path

    @property
    def is_folder(self) -> bool:
        return os.path.isdir(self.path)

    @property
    def is_link(self) -> bool:
        return os.path.islink(self.path)

    def inner(self) -> Sequence[Entry]:
        if self.is_link or not self.is_folder:
            return []
        try:
            return list_folder(self.path)
        except UsageError:
            return []

    def holds(self, name: str) -> bool:
        return os.path.lexists(self.path / name)


@dataclass(frozen=True)
class ZippedEntry:
    """An entry in a zip; `tree` holds what lies in a folder, by name, and is None for a file."""

    path: Path
    tree: Tree | None = field(repr=False)
    is_link: bool = False

    @property
    def is_folder(self) -> bool:
        return self.tree is not None

    def inner(self) -> Sequence[Entry]:
        return [ZippedEntry(self.path / name, tree) for name, tree in sorted((self.tree or {}).items())]

    def holds(self, name: str) -> bool:
        return name in (self.tree or {})


Tree = Mapping[str, "Tree | None"]


def zipped(file: Path, members: Iterable[str]) -> Entry:
    """Make a folder of a zip with these members."""
    root: dict[str, object] = {}
    for member in members:
        *folders, name = member.split("/")
        tree = root
        for folder in folders:
            inner = tree.setdefault(folder, {})
            if not isinstance(inner, dict):  # a file and a folder of the same name: nothing but an attack
                break
            tree = inner
        else:
            tree.setdefault(name, None)
    return ZippedEntry(file, root)  # type: ignore[arg-type]  # a tree by construction


def list_folder(folder: Path) -> list[Entry]:
    """List a class folder's entries, sorted. Raises `UsageError` where there are none, or they cannot be looked at."""
    try:
        listing = sorted(folder.iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        raise UsageError(f"{folder}: there is no such folder") from None
    except NotADirectoryError:
        raise UsageError(f"{folder} is not a folder; give the folder or zip that holds the submissions") from None
    except PermissionError:
        raise UsageError(f"{folder}: no permission to look into this folder") from None
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}") from None
    if not listing:
        raise UsageError(f"no submission in {folder}: it is empty")
    if not any(map(os.path.lexists, listing)):  # their names may be read, and nothing else
        raise UsageError(f"{folder}: no permission to look into this folder")
    return [DiskEntry(path) for path in listing]
