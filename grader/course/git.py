"""Says how git is called on the course's own repository: so that it starts no program which a repository can name.

The repository is the instructor's, unless a course without one lies in somebody else's checkout. A student's own
repository is read in a sandbox (`grader.sandbox.commit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_SETTINGS = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "core.sshCommand=false", "protocol.allow=never")


def command(root: Path, *words: str) -> list[str]:
    """Return the words of a call of git in that folder."""
    return ["git", "-C", str(root), *(word for setting in _SETTINGS for word in ("-c", setting)), *words]


def environment(root: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return variables with which git takes the repository in `root` itself, never one above, and fetches nothing."""
    own = {name: value for name, value in inherited.items() if not name.startswith("GIT_")}
    return {
        **own,
        "GIT_CEILING_DIRECTORIES": str(root.resolve().parent),
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
