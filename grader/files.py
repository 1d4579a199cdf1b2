"""Writes files so that no reader ever sees half of one, and nobody but their owner sees a grade.

Files and the folders made for them belong to their owner alone from the first moment, whatever the umask, unless they
are said to be for others as well: then the umask decides.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from grader.errors import GraderError

_HALF = ".tmp"
# Neither a link nor a file that somebody has put in the way is ever written through.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


def remove_halves(folder: Path) -> None:
    """Remove the files that a killed run had written in half."""
    for half in folder.glob(f".*{_HALF}"):
        half.unlink(missing_ok=True)


def make_folder(folder: Path, for_others: bool = False) -> None:
    """Make a folder and those above it, where they are missing; an existing one keeps its mode."""
    if folder.is_dir():
        return
    make_folder(folder.parent, for_others)
    try:
        folder.mkdir(0o777 if for_others else 0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise


@contextmanager
def new_folders(*folders: Path) -> Iterator[None]:
    """Remove the folders that the block makes, where it does not come to its end; those that exist stay."""
    new = [folder for folder in folders if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in new:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def make_private(file: Path) -> None:
    """Make an empty file that only its owner can read, where there is none."""
    try:
        os.close(os.open(file, _NEW, 0o600))
    except FileExistsError:
        return


def write_atomically(path: Path, content: str | bytes, for_others: bool = False) -> None:
    """Write a text as UTF-8, or bytes, so that `path` holds either what it held before or all of it."""
    # Within JSON the replacement of a lone surrogate is the escape for that very character.
    raw = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    half = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_HALF}")
    try:
        make_folder(path.parent, for_others)
        try:
            with os.fdopen(os.open(half, _NEW, 0o666 if for_others else 0o600), "wb") as file:
                file.write(raw)
            half.replace(path)
        finally:
            half.unlink(missing_ok=True)
    except OSError as error:
        raise GraderError(f"{path}: cannot be written ({error.strerror})") from error


def lay_out(files: Mapping[str, bytes], folder: Path) -> None:
    """Write a submission's files, by their paths within it, into a new folder of its own."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def without_links(path: Path, strange: Collection[Path]) -> Path:
    """Return `path` as an absolute one. `GraderError` where it leads through a symbolic link in a stranger's folder.

    Links above these folders are those of whoever grades, and are followed.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - pathlib keeps `..`, which leads elsewhere behind a link
    line = [path, *path.parents]
    within = [depth for depth, part in enumerate(line) if any(_same(part, folder) for folder in strange)]
    for part in line[: max(within, default=0)]:
        if part.is_symlink():
            raise GraderError(f"{part}: is a symbolic link, which a submission may hold; name the folder it leads to")
    return path


def _same(path: Path, folder: Path) -> bool:
    return path.is_dir() and folder.is_dir() and path.samefile(folder)
