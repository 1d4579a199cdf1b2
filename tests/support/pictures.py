"""Pictures for tests, made byte by byte."""

from __future__ import annotations

import struct
import zlib


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int = 1, height: int = 1, more: bytes = b"", idat: bytes = b"") -> bytes:
    """A grey PNG of this size, as its header says, with more chunks behind the header."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = idat or zlib.compress(b"\0\x80" * min(height, 9))
    return b"\x89PNG\r\n\x1a\n" + header + more + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def jpeg(width: int = 1, height: int = 1, more: bytes = b"") -> bytes:
    """What has the form of a JPEG, with more segments at its beginning."""
    frame = b"\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    return b"\xff\xd8" + more + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\x34\xff\xd9"
