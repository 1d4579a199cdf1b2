"""Looks at what comes with its own process: variables, descriptors, and names that tell whose machine this is."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from .calls import attempt


def variables() -> dict[str, str]:
    """Return all environment variables."""
    return dict(os.environ)


def descriptors() -> list[str]:
    """Return the open descriptors beyond the null device, two for output and one to answer on."""
    found = []
    for fd in range(4, 4096):
        with contextlib.suppress(OSError):
            os.fstat(fd)
            found.append(str(fd))
    return found


def terminal() -> str:
    """Open the terminal of whoever grades; return why it did not work."""
    return attempt(lambda: os.close(os.open("/dev/tty", os.O_RDWR)))


def host_name() -> str:
    """Return the machine's name."""
    return os.uname().nodename


def texts() -> list[str]:
    """Return lines that may name a person or a folder of this machine: paths of Python, users, links of packages."""
    found = [*sys.path, sys.prefix, sys.base_prefix, sys.executable, *os.environ.values(), os.getcwd()]
    for file in _telling():
        with contextlib.suppress(OSError):
            found += file.read_text(errors="replace").splitlines()
    return found[:5000]


def _telling() -> Iterator[Path]:
    yield from map(Path, ("/etc/passwd", "/etc/hostname", "/etc/hosts"))
    for folder in filter(os.path.isabs, sys.path):
        for pattern in ("*.pth", "*.dist-info/direct_url.json", "*.egg-link", "__editable__*"):
            yield from Path(folder).glob(pattern)
