"""Lists the files that a student gets and must not edit, and finds those that were edited.

Grading never uses a submission's copies of them. The manifest says what they were, so that a report can tell which
ones were changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from grader.course import git

CHANGED = "protected files changed"  # the beginning of the note on them
MANIFEST = "PROTECTED.sha256"  # in the format that `sha256sum --check` reads
_PROTECTED = re.compile(
    r"assignments/[^/]+/(test_\w+\.py|probes\w*\.py|assignment\.toml|conftest\.py)"
    r"|(grader|fixtures|\.github)/.+|course\.toml|pyproject\.toml|conftest\.py"
)


def is_protected(path: str) -> bool:
    """Tell whether a file of the student tree is one that students must not edit."""
    return _PROTECTED.fullmatch(path) is not None


def manifest_text(files: Mapping[str, bytes]) -> str:
    """Return a line for each protected file: its SHA-256, two spaces, its path."""
    return "".join(f"{_digest(content)}  {path}\n" for path, content in sorted(files.items()) if is_protected(path))


def changed_files(submitted: Mapping[str, bytes], root: Path) -> list[str]:
    """Return the protected files in a submission that differ from those of the course at `root`."""
    known = course_digests(root)
    differing = [path for path, content in submitted.items() if path in known and _digest(content) != known[path]]
    return sorted(path for path in differing if not _was_ever_ours(submitted[path], root))


@cache
def course_digests(root: Path) -> dict[str, str]:
    files = [path for folder in ("assignments", "grader", "fixtures") for path in (root / folder).rglob("*")]
    names = {path.relative_to(root).as_posix(): path for path in files if path.is_file()}
    return {name: _digest(path.read_bytes()) for name, path in names.items() if is_protected(name)}


def _was_ever_ours(content: bytes, root: Path) -> bool:
    """Tell whether the course's own git knows the content: students may still have files of an earlier release."""
    content = content.replace(b"\r\n", b"\n")
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    command, own = git.command(root, "cat-file", "-e", blob), git.environment(root, os.environ)
    try:
        return subprocess.run(command, capture_output=True, env=own, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _digest(content: bytes) -> str:
    """Return a SHA-256 that is the same on systems that write line ends differently."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
