"""Reads the time of a checkout's commit: git runs in a sandbox, as a repository's own configuration can name commands.

A repository may tell git to fetch a missing object with a program of its choice, to call a hook, or to verify a
signature. So git sees the repository read-only, without network, home folder or any file of ours, with every such way
switched off, and nothing but the `.git` folder that lies in the checkout itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import subprocess
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from grader.sandbox import views

SECONDS = 10.0
MEMORY = 1 << 30  # bytes
LONGEST = 1 << 16  # bytes of a commit, of which the first lines are read
_SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
_COMMITTER = re.compile(rb"^committer [^\n]*> (\d{1,11}) ([+-])(\d\d)(\d\d)$", re.MULTILINE)
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "PATH": os.defpath,
    "HOME": "/tmp",
}
_SETTINGS = (
    *("protocol.allow=never", "safe.bareRepository=explicit", "safe.directory=*"),
    *("core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "gc.auto=0"),
)


def commit_time(folder: Path) -> datetime | None:
    """Return the committer's time of the commit that is checked out in `folder`; None where it cannot be had safely."""
    repository, bubblewrap, git = folder / ".git", shutil.which("bwrap"), shutil.which("git")
    if not bubblewrap or not git or repository.is_symlink() or not repository.is_dir():
        return None
    if not any(Path(git).resolve().is_relative_to(system) for system in _SYSTEM):
        return None  # it lies where the sandbox shows nothing
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    read = [git, "--git-dir", "/work/.git", *settings, "cat-file", "commit", "HEAD"]
    return parsed(_head_of([*_sandbox(bubblewrap, repository.resolve()), *read]))


def _sandbox(bubblewrap: str, repository: Path) -> list[str]:
    words = [bubblewrap, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    for name, value in _ENVIRONMENT.items():
        words += ["--setenv", name, value]
    for path in map(Path, _SYSTEM):
        words += views.shown(path, path) if path.exists() else []
    words += ["--proc", "/proc", "--dev", "/dev", "--size", str(1 << 20), "--tmpfs", "/tmp"]
    return [*words, "--ro-bind", str(repository), "/work/.git", "--remount-ro", "/", "--chdir", "/tmp"]


def _head_of(command: list[str]) -> bytes:
    """Return the first bytes that a command prints, within limits of time and memory; nothing where it fails."""
    null = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            command, env={}, stdin=null, stdout=subprocess.PIPE, stderr=null, start_new_session=True
        )
    except OSError:
        return b""
    with process:
        assert process.stdout is not None
        timer = threading.Timer(SECONDS, process.kill)
        timer.start()
        try:
            resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
            return process.stdout.read(LONGEST)
        except OSError:
            return b""
        finally:
            timer.cancel()
            process.kill()


def parsed(commit: bytes) -> datetime | None:
    """Parse the committer's time out of a commit object, whose message comes after an empty line."""
    found = _COMMITTER.search(commit.partition(b"\n\n")[0])
    if not found:
        return None
    seconds, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    with contextlib.suppress(ValueError, OverflowError, OSError):
        zone = timezone(-offset if sign == b"-" else offset)
        return datetime.fromtimestamp(int(seconds), UTC).astimezone(zone)
    return None
