"""Which grader gave a grade: the released version and a digest of the sources, since either can change a verdict."""

from __future__ import annotations

import hashlib
from pathlib import Path

from grader import __version__


def _digest() -> str:
    here = Path(__file__).parent
    sums = hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        sums.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sums.hexdigest()[:8]


VERSION = f"{__version__}+{_digest()}"
