"""Courses and submissions for tests: files, zips and notebooks."""

from __future__ import annotations

import io
import json
import struct
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


def zip_at(place: int, name: str = "w5.zip", content: bytes = b"PK") -> bytes:
    """Make a zip that says of its one member, which is stored, that it lies at `place`; that may be beyond any file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, content)
    raw = bytearray(made.getvalue())
    entry, end = raw.rindex(b"PK\x01\x02"), raw.rindex(b"PK\x05\x06")
    more = struct.pack("<HHQ", 1, 8, place)  # the field of zip64
    struct.pack_into("<L", raw, end + 12, end - entry + len(more))
    struct.pack_into("<H", raw, entry + 30, len(more))
    struct.pack_into("<L", raw, entry + 42, 2**32 - 1)
    return bytes(raw[:end] + more + raw[end:])


def install_plugin(folder: Path, source: str) -> None:
    """Have pytest find a plugin in this folder, once it is on the path, as one that somebody has installed."""
    put(folder / "rude.py", source.encode())
    put(folder / "rude-1.0.dist-info/METADATA", b"Metadata-Version: 2.1\nName: rude\nVersion: 1.0\n")
    put(folder / "rude-1.0.dist-info/entry_points.txt", b"[pytest11]\nrude = rude\n")
