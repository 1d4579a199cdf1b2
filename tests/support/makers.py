"""Courses and submissions for tests: files, zips and notebooks."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path


def put(path: Path, content: bytes = b"class LeNet:\n    pass\n") -> Path:
    """Write a file, with the folders around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def lay_out(root: Path, files: Mapping[str, str]) -> Path:
    """Write files of a course, by their paths in it, and return its root."""
    for name, text in files.items():
        put(root / name, text.encode())
    return root


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of (name, content)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def notebook(*cells: str, tags: tuple[str, ...] = ()) -> bytes:
    """A notebook of code cells."""
    made = [
        {"cell_type": "code", "source": c, "metadata": {"tags": list(tags)}, "outputs": [], "execution_count": None}
        for c in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()
