"""Tells the files that tools make, which are never part of a submission."""

from __future__ import annotations

NOISE = "hidden, or made by a tool"  # why such a file is left out

_NAMES = {"__pycache__", "__MACOSX", "venv", "node_modules", "site-packages", "Thumbs.db", "desktop.ini"}
_ENDINGS = (".pyc", ".pyo", ".egg-info", "~")


def is_noise(name: str) -> bool:
    """Tell whether a file or folder of this name is made by tools and never part of a submission."""
    return name.startswith(".") or name in _NAMES or name.endswith(_ENDINGS)
