"""Shows a part of a file as a file: a zip that lies uncompressed in another is read in its place, however large."""

from __future__ import annotations

import io
import zipfile
from typing import IO

_HEADER = 30  # bytes of a member's own header, of which the last four are the lengths of what follows


class Window(io.RawIOBase):
    """The `size` bytes of a file from `start` on, to read."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._start + self._at)
        content = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


def stored_window(file: IO[bytes], member: zipfile.ZipInfo) -> Window | None:
    """Return an uncompressed member of the zip in `file`; None where it is compressed, encrypted or not there."""
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 or member.compress_size != member.file_size:
        return None
    try:
        file.seek(member.header_offset)
    except (ValueError, OverflowError):  # a place beyond what any file has
        return None
    header = file.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(b"PK\x03\x04"):
        return None
    lengths = [int.from_bytes(header[place : place + 2], "little") for place in (26, 28)]
    return Window(file, member.header_offset + _HEADER + sum(lengths), member.file_size)
