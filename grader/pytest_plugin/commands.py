"""Words the command that runs some checks again: one way of spelling it, which every shell understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from pathlib import Path


def command_on(folders: Collection[Path], named: str = "") -> str:
    """Return the command for the checks of these folders; of several weeks, for what was `named` at the start."""
    if len(folders) == 1:
        (folder,) = folders
        return f"pytest {quoted(_shortest(folder))}"
    return f"pytest {quoted(named)}".strip()


def quoted(word: str) -> str:
    """Return a word as shells take it: in double quotes where those will do, as Windows knows no others."""
    if not word or re.fullmatch(r"[\w./\\:~+-]+", word):
        return word
    return shlex.quote(word) if re.search(r"[$`\"!]", word) else f'"{word}"'


def _shortest(folder: Path) -> str:
    here = Path.cwd()
    return folder.relative_to(here).as_posix() if folder.is_relative_to(here) else str(folder)
