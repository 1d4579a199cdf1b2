"""Puts what an export made where it was asked for, and overwrites nothing unless that was asked for, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from grader.errors import UsageError
from grader.files import write_atomically
from grader.reports.words import first_of

Files = Mapping[str, bytes]  # by their paths in the target; the empty path is the target itself
MOST_NAMED = 3


def put(target: Path, files: Files, overwrite: bool = False) -> None:
    """Write the files. `UsageError` where others are in their place, or beside them in their folder.

    With `overwrite`, those of the same name are replaced, and others stay.
    """
    if "" in files and target.is_dir():
        raise UsageError(f"{target}: is a folder; --write names the file to make")
    if "" not in files and target.exists() and not target.is_dir():
        raise UsageError(f"{target}: is a file; --write names the folder to make")
    if not overwrite:
        _refuse_others(target, files)
    for path, content in files.items():
        write_atomically(target / path if path else target, content)


def _refuse_others(target: Path, files: Files) -> None:
    if "" in files:
        if target.exists() and target.read_bytes() != files[""]:
            raise UsageError(f"{target}: is there already, with other content; name another, or add --overwrite")
        return
    there = {path.relative_to(target).as_posix(): path for path in target.rglob("*") if path.is_file()}
    other = sorted(name for name, path in there.items() if name not in files or path.read_bytes() != files[name])
    if other:
        names = first_of(other, MOST_NAMED)
        raise UsageError(
            f"{target}: holds other files already ({names}); name an empty folder, or add --overwrite, which replaces "
            f"files of the same name and leaves the rest"
        )
