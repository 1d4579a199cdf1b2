"""Reads where a checkout comes from, out of the text of its `.git/config`: git never runs on a student's files."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

LONGEST = 1 << 16  # bytes of a configuration
_SECTION = re.compile(r'\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]\s*')
_URL = re.compile(r"\s*url\s*=\s*(\S+)\s*", re.IGNORECASE)
_PLACE = re.compile(r"(?:[a-z+]+://[^/\s]+/|[^/\s]+:)([\w.-]+)/([\w.-]+?)(?:\.git)?/?", re.IGNORECASE)


@dataclass(frozen=True)
class Repository:
    """A repository's name, and whose it is on its host; no owner where nothing tells."""

    name: str
    owner: str = ""


def repository_of(checkout: Path) -> Repository:
    """Return the repository that a checkout comes from; without a remote, one of the folder's own name."""
    found = _PLACE.fullmatch(_origin(_config(checkout)))
    return Repository(found[2], found[1]) if found else Repository(checkout.name)


def _origin(config: str) -> str:
    """Return the address of the remote that is called origin."""
    section: tuple[str, str] = ("", "")
    for line in config.splitlines():
        if begun := _SECTION.fullmatch(line):
            section = begun[1].casefold(), begun[2] or ""
        elif section == ("remote", "origin") and (told := _URL.fullmatch(line)):
            return told[1]
    return ""


def _config(checkout: Path) -> str:
    """Read the configuration, if it is a plain file in a folder of its own: nobody's link leads anywhere."""
    folder = checkout / ".git"
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            return ""
        opened = os.open(folder / "config", flags)
        with os.fdopen(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                return ""
            return file.read(LONGEST).decode("utf-8", "replace")
    except OSError:
        return ""
