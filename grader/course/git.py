"""Says how git is called on the course's own repository: so that it starts no program which a repository can name.

The repository is the instructor's, unless a course without one lies in somebody else's checkout. One above the course
is asked where its index lists a hidden check that the course has, to the byte: no student can name the digest of that.
The index is searched without git. A student's own repository is read in a sandbox (`grader.sandbox.commit`).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.course.assignment import HIDDEN

LARGEST_INDEX = 64 << 20  # bytes
_SECRET = 200  # bytes of a hidden check that nobody guesses
_SETTINGS = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "core.sshCommand=false", "protocol.allow=never")


def command(root: Path, *words: str) -> list[str]:
    """Return the words of a call of git in that folder."""
    return ["git", "-C", str(root), *(word for setting in _SETTINGS for word in ("-c", setting)), *words]


def environment(root: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return variables with which git takes the course's own repository, never a stranger's above, and fetches nothing.

    That is the one in `root`, or in a folder around it if it holds the course.
    """
    own = {name: value for name, value in inherited.items() if not name.startswith("GIT_")}
    return {
        **own,
        "GIT_CEILING_DIRECTORIES": str(_top(root.resolve()).parent),
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _top(root: Path) -> Path:
    """Return the folder of the repository that holds the course in `root`; `root` itself where none can be trusted."""
    if (root / ".git").exists():
        return root
    above = next((folder for folder in root.parents if (folder / ".git").exists()), None)
    return above if above and _lists_a_hidden_check(above / ".git" / "index", root) else root


def _lists_a_hidden_check(index: Path, root: Path) -> bool:
    with contextlib.suppress(OSError):
        if index.is_file() and index.stat().st_size <= LARGEST_INDEX:
            listed = index.read_bytes()
            return any(blob in listed for blob in _hidden_blobs(root))
    return False


def _hidden_blobs(root: Path) -> Iterator[bytes]:
    """Yield the digests under which git has the hidden checks, as they are with Unix's ends of lines."""
    for file in sorted(root.glob(f"solutions/*/{HIDDEN}*.py")):
        content = file.read_bytes().replace(b"\r\n", b"\n")
        if len(content) >= _SECRET:
            yield hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).digest()
