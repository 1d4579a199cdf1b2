"""Takes code apart into lines as Python counts them."""

from __future__ import annotations

import re

_END = re.compile(r"\r\n|\r|\n")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text."""
    lines = _END.split(text)
    return lines[:-1] if lines and not lines[-1] else lines
